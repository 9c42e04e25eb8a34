package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q5k.Q5K;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.WideOp.VMOVDQA64;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPERMT2W;
import static dev.tidestream.model.machine.WideOp.VPMULTISHIFTQB;

/** Q5_K: five words are sixteen columns, see {@link PanelLayout}. */
public final class WideCodeQ5K extends WideCodeOfMinima {
    private static final int SIXTEEN_BYTES = Q5K.Q5K_LINES * PanelLayout.LINE_BYTES;
    /** {@link Assembler#truth}: {@code b ? a : d}. */
    private static final int CHOOSE = 0xD8;
    /** Column 15, collected from the top bits of words. */
    private static final int LAST = 10;
    private static final int BITS = 11;
    private static final int ROWS = 12; // and 13: tables of words of rows

    /** @param code receives the instructions */
    public WideCodeQ5K(Assembler code) {
        super(code, TensorFormat.Q5_K);
    }

    @Override
    void quads() {
        table(ROWS, WideTable.WORDS_OF_ROWS_0_15);
        table(ROWS + 1, WideTable.WORDS_OF_ROWS_16_31);
        for (int sixteen = 0; sixteen < 2; sixteen++) {
            sixteen(QUADS / 2 * sixteen, PanelLayout.LINE_BYTES + sixteen * SIXTEEN_BYTES);
        }
    }

    /** Words take turns in 8 and 9. */
    private void sixteen(int quad, int offset) {
        word(8, offset, 0);
        code.wide(VMOVDQA64, LAST, 8);
        word(9, offset, 1);
        quad(quad, 8, 9, WideTable.FIVES_3_1);
        collect(9);
        word(8, offset, 2);
        quad(quad + 1, 9, 8, WideTable.FIVES_2_2);
        collect(8);
        word(9, offset, 3);
        quad(quad + 2, 8, 9, WideTable.FIVES_1_3);
        collect(9);
        word(8, offset, 4);
        collect(8);
        code.wideShift(Shift.VPSRLW, LAST, LAST, 11);
        quad(quad + 3, 8, LAST, WideTable.FIVES_3_1);
    }

    private void word(int to, int offset, int line) {
        code.wide(VMOVUPS, to, panel(offset + line * PanelLayout.LINE_BYTES));
    }

    /** The top bits of words to the top of {@link #LAST}, above those of the words before. */
    private void collect(int word) {
        code.wideShift(Shift.VPSRLW, LAST, LAST, 1);
        code.truthEach(LAST, word, each(VectorConstant.TOP_BIT), CHOOSE);
    }

    /** Two lines of words, rows 0 16 1 17 …, become a quad of two groups. */
    private void quad(int quad, int words, int more, WideTable bits) {
        table(BITS, bits);
        for (int g = 0; g < GROUPS; g++) {
            int to = tile(quad, g);
            code.wide(VMOVDQA64, to, words);
            code.wide(VPERMT2W, to, ROWS + g, more);
            code.wide(VPMULTISHIFTQB, to, BITS, to);
            code.wideEach(VPANDD, to, to, each(VectorConstant.LOW_FIVE_OF_BYTES));
        }
    }
}

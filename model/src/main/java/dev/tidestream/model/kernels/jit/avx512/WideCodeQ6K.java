package dev.tidestream.model.kernels.jit.avx512;

import java.util.function.IntConsumer;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q6k.Q6K;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.WideOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.WideOp.VMOVDQA64;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VMULPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPERMT2W;
import static dev.tidestream.model.machine.WideOp.VPMULTISHIFTQB;

/** Q6_K: three words are eight columns, see {@link Q6K}; 32 is added to each here. */
public final class WideCodeQ6K extends WideCode {
    private static final int GROUP_BYTES = Q6K.Q6K_LINES * PanelLayout.LINE_BYTES;
    /** {@link Assembler#truth}: {@code b ? d : a}. */
    private static final int CHOOSE = 0xE4;
    /** {@code (d & a) ^ b}. */
    private static final int AND_XOR = 0x6A;

    /** Registers, since there are no minima. */
    private static final int SIX_BITS = MIN_SCALES;
    private static final int REST = MIN_SCALES + 1;

    /** @param code receives the instructions */
    public WideCodeQ6K(Assembler code) {
        super(code, TensorFormat.Q6_K);
    }

    @Override
    int centre() {
        return ActivationRecord.CENTRES_OF_SIXES;
    }

    @Override
    boolean factors() {
        return true;
    }

    @Override
    boolean halves() {
        return true;
    }

    @Override
    public int pairs() {
        return 2;
    }

    /** {@code d * scale} of 16 columns; floats are 2^26 times as large. */
    @Override
    void factor(int pair, int group, int to) {
        code.wide(VCVTDQ2PS, to, (pair == 0 ? FACTORS : FACTORS_2) + group);
        code.wide(VMULPS, to, to, SCALES + group);
        code.wideEach(VMULPS, to, to, each(VectorConstant.SMALL));
    }

    @Override
    void header() {
        floats(0, SCALES);
    }

    /** A word is the scale of columns 0–15 and that of columns 16–31, both signed. */
    @Override
    void scales() {
        code.wide(VMOVUPS, 8, panel(0));
        for (int g = 0; g < GROUPS; g++) {
            code.wideShift(Shift.VPSLLD, 9, 8, 24 - 16 * g);
            code.wideShift(Shift.VPSRAD, FACTORS + g, 9, 24);
        }
        code.wideShift(Shift.VPSLLD, 9, 8, 16);
        code.wideShift(Shift.VPSRAD, FACTORS_2, 9, 24);
        code.wideShift(Shift.VPSRAD, FACTORS_2 + 1, 8, 24);
    }

    @Override
    void quads() {
        code.wide(VPBROADCASTD, SIX_BITS, each(VectorConstant.LOW_SIX));
        table(10, WideTable.SIXES);
        table(11, WideTable.SIXES_AND_BYTES);
        quads(to -> code.truthEach(to, SIX_BITS, each(VectorConstant.SIX_BIT_SIGN), AND_XOR));
    }

    /** At the top of their bytes, two bits above where the others have them. */
    @Override
    void quadsForFloats() {
        code.wide(VPBROADCASTD, SIX_BITS, each(VectorConstant.UPPER_SIX_OF_BYTES));
        table(10, WideTable.SIXES_ON_TOP);
        table(11, WideTable.SIXES_AND_BYTES_ON_TOP);
        quads(to -> code.wide(VPANDD, to, to, SIX_BITS));
    }

    private void quads(IntConsumer six) {
        table(12, WideTable.WORDS_OF_ROWS_0_15);
        table(13, WideTable.WORDS_OF_ROWS_16_31);
        for (int eight = 0; eight < QUADS / 2; eight++) {
            int offset = PanelLayout.LINE_BYTES + eight * GROUP_BYTES;
            code.wide(VMOVUPS, 8, panel(offset));
            code.wide(VMOVUPS, 9, panel(offset + PanelLayout.LINE_BYTES));
            quad(2 * eight, 8, 9, 10, six);
            lastColumns(offset + 2 * PanelLayout.LINE_BYTES);
            quad(2 * eight + 1, 9, REST, 11, six);
        }
    }

    /**
     * Columns 6 and 7 to the bottom of the two bytes of the words in {@link #REST}: of those in 8 and 9, and the third line, then
     * in 9.
     */
    private void lastColumns(int third) {
        code.wideShift(Shift.VPSLLW, 8, 8, 2); // bits 5–2 of column 6
        code.truthEach(8, 9, each(VectorConstant.MIDDLE_FOUR), CHOOSE);
        code.wideShift(Shift.VPSLLW, 9, 9, 6); // bits 1–0 of column 7
        code.wide(VMOVUPS, REST, panel(third));
        code.wideShift(Shift.VPSLLW, REST, REST, 10); // bits 5–2 of column 7
        code.truthEach(REST, 9, each(VectorConstant.UPPER_FOUR), CHOOSE);
        code.truthEach(REST, 8, each(VectorConstant.UPPER_BYTES), CHOOSE);
        code.wide(VMOVUPS, 9, panel(third));
    }

    /** Two lines of words, rows 0 16 1 17 …, become a quad of two groups, with other columns' bits beside the six. */
    private void quad(int quad, int words, int more, int bits, IntConsumer six) {
        for (int g = 0; g < GROUPS; g++) {
            int to = tile(quad, g);
            code.wide(VMOVDQA64, to, words);
            code.wide(VPERMT2W, to, 12 + g, more);
            code.wide(VPMULTISHIFTQB, to, bits, to);
            six.accept(to);
        }
    }
}

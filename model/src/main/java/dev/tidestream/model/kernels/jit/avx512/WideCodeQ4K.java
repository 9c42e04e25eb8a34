package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.MachineConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.WideOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPMULTISHIFTQB;

/** Q4_K: a word is four columns, of four bits. */
public final class WideCodeQ4K extends WideCode {
    /** @param code receives the instructions */
    public WideCodeQ4K(Assembler code) {
        super(code, TensorFormat.Q4_K);
    }

    @Override
    int centre() {
        return 0;
    }

    @Override
    boolean factors() {
        return true;
    }

    @Override
    boolean minima() {
        return true;
    }

    /** One chain goes through all columns; the vector kernels do that. */
    @Override
    public int pairs() {
        return 0;
    }

    @Override
    void quadsForFloats() {
        throw new UnsupportedOperationException("no pairs of chains");
    }

    @Override
    void factor(int pair, int group, int to) {
        throw new UnsupportedOperationException("no pairs of chains");
    }

    @Override
    void header() {
        floats(0, SCALES);
        floats(PanelLayout.SCALE_BYTES, MIN_SCALES);
    }

    /** A word is a scale and a minimum. */
    @Override
    void scales() {
        code.wide(VMOVUPS, 8, panel(0));
        code.wide(VPBROADCASTD, 9, each(MachineConstant.LOWEST_BYTE));
        code.wide(VPANDD, FACTORS, 8, 9);
        code.wideShift(Shift.VPSRLD, 10, 8, 8);
        code.wide(VPANDD, 10, 10, 9);
        code.wide(VCVTDQ2PS, MINIMA, 10);
        code.wideShift(Shift.VPSRLD, 10, 8, 16);
        code.wide(VPANDD, FACTORS + 1, 10, 9);
        code.wideShift(Shift.VPSRLD, 8, 8, 24);
        code.wide(VCVTDQ2PS, MINIMA + 1, 8);
    }

    @Override
    void quads() {
        table(8, WideTable.NIBBLES_OF_LOWER_WORDS);
        table(9, WideTable.NIBBLES_OF_UPPER_WORDS);
        code.wide(VPBROADCASTD, 10, each(MachineConstant.NIBBLES));
        for (int q = 0; q < QUADS; q++) {
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPMULTISHIFTQB, tile(q, g), 8 + g, panel(PanelLayout.LINE_BYTES * (1 + q)));
                code.wide(VPANDD, tile(q, g), tile(q, g), 10);
            }
        }
    }
}

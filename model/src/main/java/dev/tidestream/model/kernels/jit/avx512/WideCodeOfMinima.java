package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.WideOp.VCVTDQ2PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;

/** What Q4_K and Q5_K share: unsigned integers, a scale and a minimum for each block, and one chain for products with floats. */
abstract sealed class WideCodeOfMinima extends WideCode permits WideCodeQ4K, WideCodeQ5K {
    WideCodeOfMinima(Assembler code, TensorFormat format) {
        super(code, format);
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
        code.wide(VPBROADCASTD, 9, each(VectorConstant.LOWEST_BYTE));
        code.wide(VPANDD, FACTORS, 8, 9);
        code.wideShift(Shift.VPSRLD, 10, 8, 8);
        code.wide(VPANDD, 10, 10, 9);
        code.wide(VCVTDQ2PS, MINIMA, 10);
        code.wideShift(Shift.VPSRLD, 10, 8, 16);
        code.wide(VPANDD, FACTORS + 1, 10, 9);
        code.wideShift(Shift.VPSRLD, 8, 8, 24);
        code.wide(VCVTDQ2PS, MINIMA + 1, 8);
    }
}

package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.WideTable;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.machine.WideOp.VMOVDQA64;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPERMPS;

/** Q4_0: a byte is column j and column j + 16, both with 8 added. */
public final class WideCodeQ40 extends WideCode {
    /** @param code receives the instructions */
    public WideCodeQ40(Assembler code) {
        super(code, TensorFormat.Q4_0);
    }

    @Override
    int centre() {
        return ActivationRecord.CENTRE;
    }

    @Override
    public int pairs() {
        return 1;
    }

    /** Both columns of a byte: four quads. */
    @Override
    void quadsForFloats() {
        tablesOfBytes();
        for (int q = 0; q < QUADS / 2; q++) {
            quadOfBytes(PanelLayout.SCALE_BYTES + q * 2 * VECTOR, tile(q, 0), tile(q, 1));
        }
    }

    @Override
    void factor(int pair, int group, int to) {
        code.wide(VMOVDQA64, to, SCALES + group);
    }

    @Override
    void floatConstants() {
        table(FOR_FLOATS, WideTable.EIGHT_LESS);
    }

    /** Looked up: only four bits of an index count. */
    @Override
    void toFloat(int quad, int group, int column, int to) {
        int bytes = tile(quad % (QUADS / 2), group);
        int below = column * Byte.SIZE + (quad < QUADS / 2 ? 0 : 4); // bits
        if (below > 0) {
            code.wideShift(Shift.VPSRLD, to, bytes, below);
        }
        code.wide(VPERMPS, to, below > 0 ? to : bytes, FOR_FLOATS);
    }

    @Override
    void scales() {
        floats(0, SCALES);
    }

    @Override
    void quads() {
        tablesOfBytes();
        code.wide(VPBROADCASTD, 12, each(VectorConstant.NIBBLES));
        for (int q = 0; q < QUADS / 2; q++) {
            quadOfBytes(PanelLayout.SCALE_BYTES + q * 2 * VECTOR, 8, 9);
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPANDD, tile(q, g), 8 + g, 12);
                code.wideShift(Shift.VPSRLW, 8 + g, 8 + g, 4);
                code.wide(VPANDD, tile(q + QUADS / 2, g), 8 + g, 12);
            }
        }
    }
}

package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;

import static dev.tidestream.model.machine.WideOp.VMULPS;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;
import static dev.tidestream.model.machine.WideOp.VPXORD;

/** Q8_0: a byte is a signed integer, which has 128 added here. */
public final class WideCodeQ80 extends WideCode {
    /** @param code receives the instructions */
    public WideCodeQ80(Assembler code) {
        super(code, TensorFormat.Q8_0);
    }

    @Override
    int centre() {
        return ActivationRecord.CENTRE_OF_BYTES;
    }

    @Override
    public int pairs() {
        return 1;
    }

    /** Floats are 2^24 times as large. */
    @Override
    void factor(int pair, int group, int to) {
        code.wideEach(VMULPS, to, SCALES + group, each(VectorConstant.SMALL_BY_24));
    }

    @Override
    void scales() {
        floats(0, SCALES);
    }

    @Override
    void quads() {
        quadsForFloats();
        code.wide(VPBROADCASTD, 12, each(VectorConstant.BYTE_SIGN));
        for (int q = 0; q < QUADS; q++) {
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VPXORD, tile(q, g), tile(q, g), 12);
            }
        }
    }

    @Override
    void quadsForFloats() {
        tablesOfBytes();
        for (int q = 0; q < QUADS; q++) {
            quadOfBytes(PanelLayout.SCALE_BYTES + q * 2 * VECTOR, tile(q, 0), tile(q, 1));
        }
    }
}

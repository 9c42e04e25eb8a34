package dev.tidestream.model.kernels.jit.avx512;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.ternary.TernaryFormat;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.machine.WideOp.VCVTPH2PS;
import static dev.tidestream.model.machine.WideOp.VMOVUPS;
import static dev.tidestream.model.machine.WideOp.VPANDD;
import static dev.tidestream.model.machine.WideOp.VPBROADCASTD;

/** Ternary formats: two bits of each byte of a row's word are a quad, all with 1 added, see {@link TernaryFormat}. */
public final class WideCodeTernary extends WideCode {
    private static final int LINE_BYTES = ROWS * Integer.BYTES;
    private static final int QUADS_OF_A_LINE = 4;

    private final boolean halves;

    /**
     * @param code receives the instructions
     * @param format one of the ternary ones
     */
    public WideCodeTernary(Assembler code, TensorFormat format) {
        super(code, format);
        this.halves = units.headerBytes() == ROWS * Short.BYTES;
    }

    @Override
    int centre() {
        return ActivationRecord.CENTRE_OF_TERNARY;
    }

    @Override
    void header() {
        for (int g = 0; g < GROUPS; g++) {
            if (halves) {
                code.wide(VCVTPH2PS, SCALES + g, panel(g * VECTOR / 2));
            } else {
                code.wide(VMOVUPS, SCALES + g, panel(g * VECTOR));
            }
        }
    }

    @Override
    void scales() {
        // the unit has them
    }

    @Override
    void quads() {
        code.wide(VPBROADCASTD, 12, each(VectorConstant.LOW_TWO_OF_BYTES));
        for (int line = 0; line < QUADS / QUADS_OF_A_LINE; line++) {
            for (int g = 0; g < GROUPS; g++) {
                code.wide(VMOVUPS, 8, panel(line * LINE_BYTES + g * VECTOR));
                for (int i = 0; i < QUADS_OF_A_LINE; i++) {
                    if (i > 0) {
                        code.wideShift(Shift.VPSRLW, 9, 8, 2 * i);
                    }
                    code.wide(VPANDD, tile(line * QUADS_OF_A_LINE + i, g), i > 0 ? 9 : 8, 12);
                }
            }
        }
    }

    /** Floats are left to the vector kernels. */
    @Override
    public int pairs() {
        return 0;
    }

    @Override
    void quadsForFloats() {
        throw new UnsupportedOperationException("no program for floats");
    }

    @Override
    void factor(int pair, int group, int to) {
        throw new UnsupportedOperationException("no program for floats");
    }
}

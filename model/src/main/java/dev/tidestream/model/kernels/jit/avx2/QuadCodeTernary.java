package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.ternary.TernaryFormat;
import dev.tidestream.model.kernels.jit.base.ActivationRecord;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VPAND;

/** Ternary formats: two bits of each byte of a row's word are a quad, all with 1 added, see {@link TernaryFormat}. */
public final class QuadCodeTernary extends QuadCode {
    private static final int LINE_BYTES = ROWS * Integer.BYTES;
    private static final int QUADS_OF_A_LINE = 4;
    private static final int QUANTS = 11; // four registers

    private final boolean halves;

    /**
     * @param code receives the instructions
     * @param format one of the ternary ones
     */
    public QuadCodeTernary(Assembler code, TensorFormat format) {
        super(code, format);
        this.halves = units.headerBytes() == ROWS * Short.BYTES;
    }

    @Override
    Products products() {
        return Products.UNSIGNED;
    }

    @Override
    VectorConstant kept() {
        return VectorConstant.LOW_TWO_OF_BYTES;
    }

    @Override
    boolean centred() {
        return true;
    }

    @Override
    int centre() {
        return ActivationRecord.CENTRE_OF_TERNARY;
    }

    @Override
    boolean byteLines() {
        return false;
    }

    @Override
    boolean rowsInOrder() {
        return true;
    }

    @Override
    void header() {
        if (halves) {
            for (int pair = 0; pair < GROUPS / 2; pair++) {
                code.vector(VMOVDQU, 8, panel(pair * VECTOR));
                floats(8, 9, KernelScratch.SCALES, 2 * pair, 2 * pair + 1);
            }
            return;
        }
        for (int g = 0; g < GROUPS; g++) {
            code.vector(VMOVDQU, 8, panel(g * VECTOR));
            code.vector(VMOVDQU_STORE, 8, scratch(KernelScratch.SCALES + g * VECTOR));
        }
    }

    @Override
    void scales() {
        // the unit has them
    }

    @Override
    void quads(Sink sink) {
        for (int line = 0; line < QUADS / QUADS_OF_A_LINE; line++) {
            int first = line * QUADS_OF_A_LINE;
            for (int i = 0; i < QUADS_OF_A_LINE; i++) {
                sink.quad(first + i, QUANTS + i);
            }
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VMOVDQU, 8, panel(line * LINE_BYTES + g * VECTOR));
                for (int i = 0; i < QUADS_OF_A_LINE; i++) {
                    code.vector(VPAND, 9, 8, KEPT);
                    sink.take(first + i, g, 9, QUANTS + i, 9);
                    if (i < QUADS_OF_A_LINE - 1) {
                        code.shift(Shift.VPSRLW, 8, 8, 2);
                    }
                }
            }
        }
    }
}

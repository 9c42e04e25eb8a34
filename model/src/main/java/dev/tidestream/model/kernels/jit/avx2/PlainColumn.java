package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Shift;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.panel;
import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VPAND;

/** Code that multiplies a column of a panel of floats of some width with a number; registers as in {@link PlainEmitter}. */
public enum PlainColumn {
    F32(Float.BYTES) {
        @Override
        void multiply(Assembler code) {
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VFMADD231PS, PlainEmitter.SUMS.at(g), PlainEmitter.X, panel(g * VECTOR));
            }
        }
    },
    F16(Short.BYTES) {
        @Override
        void multiply(Assembler code) {
            for (int g = 0; g < GROUPS; g++) {
                int weights = PlainEmitter.FREE.at(0);
                code.vector(VCVTPH2PS, weights, panel(g * FloatCode.GROUP_WORDS));
                code.vector(VFMADD231PS, PlainEmitter.SUMS.at(g), PlainEmitter.X, weights);
            }
        }

        @Override
        int[] inOrder(Assembler code) {
            return FloatCode.linesInOrder(code);
        }
    },
    /** The upper half of a float; rows r and r + 16 in a lane. */
    BF16(Short.BYTES) {
        @Override
        void multiply(Assembler code) {
            int upper = PlainEmitter.FREE.at(0);
            int lower = PlainEmitter.FREE.at(1);
            for (int half = 0; half < GROUPS / 2; half++) {
                code.vector(VMOVDQU, upper, panel(half * VECTOR));
                code.shift(Shift.VPSLLD, lower, upper, 16);
                code.vector(VFMADD231PS, PlainEmitter.SUMS.at(half), PlainEmitter.X, lower);
                code.vector(VPAND, upper, upper, PlainEmitter.UPPER_WORDS);
                code.vector(VFMADD231PS, PlainEmitter.SUMS.at(half + 2), PlainEmitter.X, upper);
            }
        }
    };

    private final int bytes; // of a column of a panel

    PlainColumn(int elementBytes) {
        this.bytes = ROWS * elementBytes;
    }

    /** Bytes of a column of a panel. */
    public int bytes() {
        return bytes;
    }

    /** Writes code that adds the products to the sums. */
    abstract void multiply(Assembler code);

    /** Writes code that puts the sums in order; their registers. */
    int[] inOrder(Assembler code) {
        return new int[] {PlainEmitter.SUMS.at(0), PlainEmitter.SUMS.at(1), PlainEmitter.SUMS.at(2), PlainEmitter.SUMS.at(3)};
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.jit.base.MachineConstant;
import dev.tidestream.model.kernels.jit.base.MachineScratch;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.panel;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VCVTPH2PS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPXOR;

/**
 * Writes the programs that multiply a panel of F32, F16 or BF16 with one row of floats, {@code void f(scratch, out, x)}: one chain
 * for each row of weights, {@code acc = fma(x[k], w[k], acc)} as {@link Kernels#multiply} says. Memory is what they wait for, so what
 * they do better than a loop of the Vector API is to read ahead.
 *
 * <pre>
 * registers   rdi scratch, rsi out, rdx panel, rcx the row of x, r10 columns to go
 *             0–3 sums, 8 what they are multiplied with, 9–11 whatever is at hand, 12 a constant
 * </pre>
 */
public final class PlainWriter {
    private static final int X = 8;
    private static final int UPPER_WORDS = 12;

    private final Assembler code;
    private final TensorFormat format;

    private PlainWriter(Assembler code, TensorFormat format) {
        this.code = code;
        this.format = format;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, TensorFormat format) {
        new PlainWriter(code, format).row();
    }

    private void row() {
        int columnBytes = format.shape().unitBytes();
        code.store(scratch(MachineScratch.FIRST_VALUES), Register.RDX);
        code.vector(VMOVDQU, UPPER_WORDS, QuadCode.constant(MachineConstant.UPPER_WORDS));
        MachineWriter.panels(code, () -> {
            code.load(Register.RCX, scratch(MachineScratch.FIRST_VALUES));
            code.load(Register.R10, scratch(MachineScratch.UNITS));
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VPXOR, g, g, g);
            }
            Assembler.Label next = code.label();
            MachineWriter.ahead(code, columnBytes, MachineWriter.AHEAD_BYTES);
            code.vector(VBROADCASTSS, X, new Address(Register.RCX, 0));
            column();
            code.add(Register.RCX, Float.BYTES);
            code.add(Register.RDX, columnBytes);
            code.add(Register.R10, -1);
            code.jumpIfNotZero(next);
            int offset = 0;
            for (int rows : inOrder()) {
                code.vector(VMOVDQU_STORE, rows, new Address(Register.RSI, offset));
                offset += VECTOR;
            }
        });
    }

    private void column() {
        switch (format) {
            case F32 -> {
                for (int g = 0; g < GROUPS; g++) {
                    code.vector(VFMADD231PS, g, X, panel(g * VECTOR));
                }
            }
            case F16 -> {
                for (int g = 0; g < GROUPS; g++) {
                    code.vector(VCVTPH2PS, 9, panel(g * FloatCode.GROUP_WORDS));
                    code.vector(VFMADD231PS, g, X, 9);
                }
            }
            case BF16 -> { // the upper half of a float; rows r and r + 16 in a lane
                for (int half = 0; half < GROUPS / 2; half++) {
                    code.vector(VMOVDQU, 9, panel(half * VECTOR));
                    code.shift(Shift.VPSLLD, 10, 9, 16);
                    code.vector(VFMADD231PS, half, X, 10);
                    code.vector(VPAND, 9, 9, UPPER_WORDS);
                    code.vector(VFMADD231PS, half + 2, X, 9);
                }
            }
            case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> throw new IllegalArgumentException("in blocks: " + format);
        }
    }

    private int[] inOrder() {
        return format == TensorFormat.F16 ? FloatCode.linesInOrder(code) : new int[] {0, 1, 2, 3};
    }
}

package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.MachineConstant;
import dev.tidestream.model.kernels.jit.base.MachineScratch;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.avx2.QuadCode.GROUPS;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.VECTOR;
import static dev.tidestream.model.kernels.jit.avx2.QuadCode.scratch;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
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
    static final int X = 8;
    static final int UPPER_WORDS = 12;

    private final Assembler code;
    private final PlainColumn column;

    private PlainWriter(Assembler code, PlainColumn column) {
        this.code = code;
        this.column = column;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, PlainColumn column) {
        new PlainWriter(code, column).row();
    }

    private void row() {
        int columnBytes = column.bytes();
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
            column.multiply(code);
            code.add(Register.RCX, Float.BYTES);
            code.add(Register.RDX, columnBytes);
            code.add(Register.R10, -1);
            code.jumpIfNotZero(next);
            int offset = 0;
            for (int rows : column.inOrder(code)) {
                code.vector(VMOVDQU_STORE, rows, new Address(Register.RSI, offset));
                offset += VECTOR;
            }
        });
    }
}

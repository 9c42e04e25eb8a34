package dev.tidestream.model.kernels.jit.avx2;

import dev.tidestream.model.kernels.jit.base.CallRegisters;
import dev.tidestream.model.kernels.jit.base.KernelScratch;
import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorConstant;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
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
 * Writes the programs that multiply a panel of F32, F16 or BF16 with one row of floats, {@code void f(scratch, out, x)}: one
 * chain for each row of weights, {@code acc = fma(x[k], w[k], acc)} as {@link Kernels#multiply} says. Memory is what they wait
 * for, so what they do better than a loop of the Vector API is to read ahead.
 *
 * <p>General registers are those of {@link CallRegisters}, and one for the row of x; units are columns.
 */
public final class PlainEmitter {
    private static final Register ROW = Register.RCX;
    private static final VectorRegisters ROLES = VectorRegisters.ymm();
    /** Sums of the groups. */
    static final RegisterRange SUMS = ROLES.take("sums", GROUPS);
    /** Element of the row. */
    static final int X = ROLES.without("sums in order, see FloatCode", GROUPS).take("element of x", 1).only();
    /** For columns. */
    static final RegisterRange FREE = ROLES.take("free for the column", 3);
    /** A constant. */
    static final int UPPER_WORDS = ROLES.take("upper words", 1).only();

    private final Assembler code;
    private final PlainColumn column;

    private PlainEmitter(Assembler code, PlainColumn column) {
        this.code = code;
        this.column = column;
    }

    /** A program for one row. */
    public static void writeRow(Assembler code, PlainColumn column) {
        new PlainEmitter(code, column).row();
    }

    private void row() {
        int columnBytes = column.bytes();
        code.store(scratch(KernelScratch.FIRST_VALUES), CallRegisters.PANEL);
        code.vector(VMOVDQU, UPPER_WORDS, QuadCode.constant(VectorConstant.UPPER_WORDS));
        Int8Emitter.panels(code, () -> {
            code.load(ROW, scratch(KernelScratch.FIRST_VALUES));
            code.load(CallRegisters.UNITS_LEFT, scratch(KernelScratch.UNITS));
            for (int g = 0; g < GROUPS; g++) {
                code.vector(VPXOR, SUMS.at(g), SUMS.at(g), SUMS.at(g));
            }
            Assembler.Label next = code.label("column");
            Int8Emitter.ahead(code, columnBytes, Int8Emitter.AHEAD_BYTES);
            code.vector(VBROADCASTSS, X, new Address(ROW, 0));
            column.multiply(code);
            code.add(ROW, Float.BYTES);
            code.add(CallRegisters.PANEL, columnBytes);
            code.add(CallRegisters.UNITS_LEFT, -1);
            code.jumpIfNotZero(next);
            int offset = 0;
            for (int rows : column.inOrder(code)) {
                code.vector(VMOVDQU_STORE, rows, new Address(CallRegisters.OUT, offset));
                offset += VECTOR;
            }
        });
    }
}

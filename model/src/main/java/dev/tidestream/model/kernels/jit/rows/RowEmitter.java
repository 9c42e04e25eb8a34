package dev.tidestream.model.kernels.jit.rows;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.kernels.jit.rows.RowConstant.VECTOR_BYTES;
import static dev.tidestream.model.machine.VectorOp.VADDPS;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VCMPPS;
import static dev.tidestream.model.machine.VectorOp.VFMADD213PS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VMAXPS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VMULPS;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VPXOR;
import static dev.tidestream.model.machine.VectorOp.VSUBPS;

/**
 * Writes programs over rows of floats, {@code void f(scratch, first, second, third)}, with AVX2: those of {@link GeneratedRows}
 * without an {@code exp}, which {@link ExpEmitter} writes. They take whole groups; the caller does the rest.
 *
 * <pre>
 * registers   rdi {@link RowScratch}, rsi, rdx and rcx arrays, r10 groups to go, r11 groups of a tile to go
 * </pre>
 */
final class RowEmitter {
    /** Floats of a group of {@link #sums}, {@link #squares} and {@link #scaled}. */
    static final int GROUP = Kernels.PARTIALS;
    /** Floats of a group of {@link #maxima}. */
    static final int MAXIMA_GROUP = 2 * Kernels.PARTIALS;
    /** Floats of a group of {@link #reached}. */
    static final int BLOCK = 64;

    static final int NEITHER_ORDERED = 3; // for VCMPPS: one of them is NaN
    private static final int AT_MOST = 0x12;

    private RowEmitter() {}

    /** For every group, from where the arrays start. */
    static void groups(Assembler code, Runnable constants, Runnable body) {
        code.add(Register.RSI, scratch(RowScratch.FIRST_OFFSET));
        code.add(Register.RDX, scratch(RowScratch.SECOND_OFFSET));
        code.add(Register.RCX, scratch(RowScratch.THIRD_OFFSET));
        constants.run();
        repeat(code, body);
    }

    /** For every group. */
    static void repeat(Assembler code, Runnable body) {
        code.load(Register.R10, scratch(RowScratch.GROUPS));
        Assembler.Label next = code.label("group");
        body.run();
        code.add(Register.R10, -1);
        code.jumpIfNotZero(next);
    }

    static void end(Assembler code) {
        code.zeroUpper();
        code.ret();
    }

    /** Sixteen sums of (groups, 16) floats at rsi, in 0 and 1, go to rdx. */
    static void sums(Assembler code) {
        partials(code, () -> {
            code.vector(VADDPS, 0, 0, new Address(Register.RSI, 0));
            code.vector(VADDPS, 1, 1, new Address(Register.RSI, VECTOR_BYTES));
        });
    }

    /**
     * Sixteen sums of the squares of (groups, 16) floats at rsi, in 0 and 1, go to rdx.
     *
     * @param centred whether the mean of the scratch (15) is subtracted first
     */
    static void squares(Assembler code, boolean centred) {
        if (centred) {
            code.vector(VBROADCASTSS, 15, scratch(RowScratch.MEAN));
        }
        partials(code, () -> {
            code.vector(VMOVDQU, 2, new Address(Register.RSI, 0));
            code.vector(VMOVDQU, 3, new Address(Register.RSI, VECTOR_BYTES));
            if (centred) {
                code.vector(VSUBPS, 2, 2, 15);
                code.vector(VSUBPS, 3, 3, 15);
            }
            code.vector(VFMADD231PS, 0, 2, 2);
            code.vector(VFMADD231PS, 1, 3, 3);
        });
    }

    /** Sixteen sums, in 0 and 1, go to rdx. */
    private static void partials(Assembler code, Runnable body) {
        groups(code, () -> {
            code.vector(VPXOR, 0, 0, 0);
            code.vector(VPXOR, 1, 1, 1);
        }, () -> {
            body.run();
            code.add(Register.RSI, 2 * VECTOR_BYTES);
        });
        code.vector(VMOVDQU_STORE, 0, new Address(Register.RDX, 0));
        code.vector(VMOVDQU_STORE, 1, new Address(Register.RDX, VECTOR_BYTES));
        end(code);
    }

    /**
     * (groups, 16) floats at rsi, times the float of the scratch (15), times those at rdx, go to rcx.
     *
     * @param centred whether the mean of the scratch (14) is subtracted first
     * @param biased whether biases are added, which lie some bytes behind rdx, at r8
     */
    static void scaled(Assembler code, boolean centred, boolean biased) {
        groups(code, () -> {
            code.vector(VBROADCASTSS, 15, scratch(RowScratch.FLOAT));
            if (centred) {
                code.vector(VBROADCASTSS, 14, scratch(RowScratch.MEAN));
            }
            if (biased) {
                code.move(Register.R8, Register.RDX);
                code.add(Register.R8, scratch(RowScratch.BIAS_DISTANCE));
            }
        }, () -> {
            for (int i = 0; i < GROUP * Float.BYTES / VECTOR_BYTES; i++) {
                int at = i * VECTOR_BYTES;
                if (centred) {
                    code.vector(VMOVDQU, i, new Address(Register.RSI, at));
                    code.vector(VSUBPS, i, i, 14);
                    code.vector(VMULPS, i, 15, i);
                } else {
                    code.vector(VMULPS, i, 15, new Address(Register.RSI, at));
                }
                if (biased) {
                    code.vector(VMOVDQU, 2 + i, new Address(Register.RDX, at));
                    code.vector(VFMADD213PS, i, 2 + i, new Address(Register.R8, at));
                } else {
                    code.vector(VMULPS, i, i, new Address(Register.RDX, at));
                }
                code.vector(VMOVDQU_STORE, i, new Address(Register.RCX, at));
            }
            code.add(Register.RSI, 2 * VECTOR_BYTES);
            code.add(Register.RDX, 2 * VECTOR_BYTES);
            code.add(Register.RCX, 2 * VECTOR_BYTES);
            if (biased) {
                code.add(Register.R8, 2 * VECTOR_BYTES);
            }
        });
        end(code);
    }

    /**
     * Of (groups, groups of a tile, 32) floats at rsi, 16 maxima for each group go to rdx: 0–3 the largest so far, of which 2 and 3
     * belong to the same as 0 and 1; 4–5 all bits, a NaN, once there was one; 6–9 the next values.
     */
    static void maxima(Assembler code) {
        groups(code, () -> {}, () -> {
            for (int i = 0; i < 4; i++) {
                code.vector(VMOVDQU, i, RowConstant.NEGATIVE_INFINITY.address());
            }
            code.vector(VPXOR, 4, 4, 4);
            code.vector(VPXOR, 5, 5, 5);
            code.load(Register.R11, scratch(RowScratch.GROUPS_OF_A_TILE));
            Assembler.Label next = code.label("tile");
            for (int i = 0; i < 4; i++) {
                code.vector(VMOVDQU, 6 + i, new Address(Register.RSI, i * VECTOR_BYTES));
                code.vector(VMAXPS, i, 6 + i, i); // as before if the value is NaN
            }
            for (int i = 0; i < 2; i++) {
                code.vector(VCMPPS, 6 + i, 6 + i, 8 + i, NEITHER_ORDERED);
                code.vector(VPOR, 4 + i, 4 + i, 6 + i);
            }
            code.add(Register.RSI, MAXIMA_GROUP * Float.BYTES);
            code.add(Register.R11, -1);
            code.jumpIfNotZero(next);
            for (int i = 0; i < 2; i++) {
                code.vector(VMAXPS, i, i, 2 + i);
                code.vector(VPOR, i, i, 4 + i);
                code.vector(VMOVDQU_STORE, i, new Address(Register.RDX, i * VECTOR_BYTES));
            }
            code.add(Register.RDX, 2 * VECTOR_BYTES);
        });
        end(code);
    }

    /**
     * Of (groups, 64) floats at rsi, a long for each group goes to rdx, with a bit for every value: whether it is at least the float
     * of the scratch (15). Bits are written eight by eight, with zeros to where the next ones go and, at last, to 7 bytes more.
     */
    static void reached(Assembler code) {
        int vectors = BLOCK * Float.BYTES / VECTOR_BYTES;
        Register[] signs = {Register.RAX, Register.RCX, Register.R8, Register.R9};
        groups(code, () -> code.vector(VBROADCASTSS, 15, scratch(RowScratch.FLOAT)), () -> {
            for (int i = 0; i < vectors; i++) {
                Register register = signs[i % signs.length];
                code.vector(VCMPPS, i, 15, new Address(Register.RSI, i * VECTOR_BYTES), AT_MOST);
                code.signs(register, i);
                code.store(new Address(Register.RDX, i), register);
            }
            code.add(Register.RSI, BLOCK * Float.BYTES);
            code.add(Register.RDX, Long.BYTES);
        });
        end(code);
    }

    static Address scratch(int offset) {
        return new Address(Register.RDI, offset);
    }
}

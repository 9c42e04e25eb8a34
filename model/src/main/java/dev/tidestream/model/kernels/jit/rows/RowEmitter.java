package dev.tidestream.model.kernels.jit.rows;

import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
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
 *
 * <p>Vector registers are those of {@link #ROWS}, {@link #MAXIMA} and, for whether a value is reached, {@link #BLOCKS}.
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

    private static final VectorRegisters ROWS = VectorRegisters.ymm();
    private static final RegisterRange SUMS = ROWS.take("sixteen sums, or results", 2);
    private static final RegisterRange VALUES = ROWS.take("values, or weights", 2);
    private static final int OTHER = ROWS.without("none", 10).take("mean, if there is a factor", 1).only();
    private static final int FACTOR = ROWS.take("factor, or mean", 1).only();

    private static final VectorRegisters MAXIMA = VectorRegisters.ymm();
    private static final RegisterRange LARGEST = MAXIMA.take("largest so far; 2 and 3 belong to the same as 0 and 1", 4);
    private static final RegisterRange NAN = MAXIMA.take("all bits, a NaN, once there was one", 2);
    private static final RegisterRange NEXT = MAXIMA.take("next values", 4);

    private static final VectorRegisters BLOCKS = VectorRegisters.ymm();
    private static final RegisterRange SIGNS = BLOCKS.take("values compared", BLOCK * Float.BYTES / VECTOR_BYTES);
    private static final int LEAST = BLOCKS.without("none", 7).take("what they are compared with", 1).only();

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

    /** Sixteen sums of (groups, 16) floats at rsi go to rdx. */
    static void sums(Assembler code) {
        partials(code, () -> {
            code.vector(VADDPS, SUMS.at(0), SUMS.at(0), new Address(Register.RSI, 0));
            code.vector(VADDPS, SUMS.at(1), SUMS.at(1), new Address(Register.RSI, VECTOR_BYTES));
        });
    }

    /**
     * Sixteen sums of the squares of (groups, 16) floats at rsi go to rdx.
     *
     * @param centred whether the mean of the scratch is subtracted first
     */
    static void squares(Assembler code, boolean centred) {
        if (centred) {
            code.vector(VBROADCASTSS, FACTOR, scratch(RowScratch.MEAN));
        }
        partials(code, () -> {
            code.vector(VMOVDQU, VALUES.at(0), new Address(Register.RSI, 0));
            code.vector(VMOVDQU, VALUES.at(1), new Address(Register.RSI, VECTOR_BYTES));
            if (centred) {
                code.vector(VSUBPS, VALUES.at(0), VALUES.at(0), FACTOR);
                code.vector(VSUBPS, VALUES.at(1), VALUES.at(1), FACTOR);
            }
            code.vector(VFMADD231PS, SUMS.at(0), VALUES.at(0), VALUES.at(0));
            code.vector(VFMADD231PS, SUMS.at(1), VALUES.at(1), VALUES.at(1));
        });
    }

    /** Sixteen sums go to rdx. */
    private static void partials(Assembler code, Runnable body) {
        groups(code, () -> {
            code.vector(VPXOR, SUMS.at(0), SUMS.at(0), SUMS.at(0));
            code.vector(VPXOR, SUMS.at(1), SUMS.at(1), SUMS.at(1));
        }, () -> {
            body.run();
            code.add(Register.RSI, 2 * VECTOR_BYTES);
        });
        code.vector(VMOVDQU_STORE, SUMS.at(0), new Address(Register.RDX, 0));
        code.vector(VMOVDQU_STORE, SUMS.at(1), new Address(Register.RDX, VECTOR_BYTES));
        end(code);
    }

    /**
     * (groups, 16) floats at rsi, times the float of the scratch, times those at rdx, go to rcx.
     *
     * @param centred whether the mean of the scratch is subtracted first
     * @param biased whether biases are added, which lie some bytes behind rdx, at r8
     */
    static void scaled(Assembler code, boolean centred, boolean biased) {
        groups(code, () -> {
            code.vector(VBROADCASTSS, FACTOR, scratch(RowScratch.FLOAT));
            if (centred) {
                code.vector(VBROADCASTSS, OTHER, scratch(RowScratch.MEAN));
            }
            if (biased) {
                code.move(Register.R8, Register.RDX);
                code.add(Register.R8, scratch(RowScratch.BIAS_DISTANCE));
            }
        }, () -> {
            for (int i = 0; i < GROUP * Float.BYTES / VECTOR_BYTES; i++) {
                int at = i * VECTOR_BYTES;
                int result = SUMS.at(i);
                if (centred) {
                    code.vector(VMOVDQU, result, new Address(Register.RSI, at));
                    code.vector(VSUBPS, result, result, OTHER);
                    code.vector(VMULPS, result, FACTOR, result);
                } else {
                    code.vector(VMULPS, result, FACTOR, new Address(Register.RSI, at));
                }
                if (biased) {
                    code.vector(VMOVDQU, VALUES.at(i), new Address(Register.RDX, at));
                    code.vector(VFMADD213PS, result, VALUES.at(i), new Address(Register.R8, at));
                } else {
                    code.vector(VMULPS, result, result, new Address(Register.RDX, at));
                }
                code.vector(VMOVDQU_STORE, result, new Address(Register.RCX, at));
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
     * Of (groups, groups of a tile, 32) floats at rsi, 16 maxima for each group go to rdx.
     */
    static void maxima(Assembler code) {
        groups(code, () -> {}, () -> {
            for (int i = 0; i < 4; i++) {
                code.vector(VMOVDQU, LARGEST.at(i), RowConstant.NEGATIVE_INFINITY.address());
            }
            code.vector(VPXOR, NAN.at(0), NAN.at(0), NAN.at(0));
            code.vector(VPXOR, NAN.at(1), NAN.at(1), NAN.at(1));
            code.load(Register.R11, scratch(RowScratch.GROUPS_OF_A_TILE));
            Assembler.Label next = code.label("tile");
            for (int i = 0; i < 4; i++) {
                code.vector(VMOVDQU, NEXT.at(i), new Address(Register.RSI, i * VECTOR_BYTES));
                code.vector(VMAXPS, LARGEST.at(i), NEXT.at(i), LARGEST.at(i)); // as before if the value is NaN
            }
            for (int i = 0; i < 2; i++) {
                code.vector(VCMPPS, NEXT.at(i), NEXT.at(i), NEXT.at(2 + i), NEITHER_ORDERED);
                code.vector(VPOR, NAN.at(i), NAN.at(i), NEXT.at(i));
            }
            code.add(Register.RSI, MAXIMA_GROUP * Float.BYTES);
            code.add(Register.R11, -1);
            code.jumpIfNotZero(next);
            for (int i = 0; i < 2; i++) {
                code.vector(VMAXPS, LARGEST.at(i), LARGEST.at(i), LARGEST.at(2 + i));
                code.vector(VPOR, LARGEST.at(i), LARGEST.at(i), NAN.at(i));
                code.vector(VMOVDQU_STORE, LARGEST.at(i), new Address(Register.RDX, i * VECTOR_BYTES));
            }
            code.add(Register.RDX, 2 * VECTOR_BYTES);
        });
        end(code);
    }

    /**
     * Of (groups, 64) floats at rsi, a long for each group goes to rdx, with a bit for every value: whether it is at least the
     * float of the scratch. Bits are written eight by eight, with zeros to where the next ones go and, at last, to 7 bytes more.
     */
    static void reached(Assembler code) {
        Register[] signs = {Register.RAX, Register.RCX, Register.R8, Register.R9};
        groups(code, () -> code.vector(VBROADCASTSS, LEAST, scratch(RowScratch.FLOAT)), () -> {
            for (int i = 0; i < SIGNS.count(); i++) {
                Register register = signs[i % signs.length];
                code.vector(VCMPPS, SIGNS.at(i), LEAST, new Address(Register.RSI, i * VECTOR_BYTES), AT_MOST);
                code.signs(register, SIGNS.at(i));
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

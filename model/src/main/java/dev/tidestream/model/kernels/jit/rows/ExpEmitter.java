package dev.tidestream.model.kernels.jit.rows;

import java.util.function.IntConsumer;
import java.util.stream.IntStream;

import dev.tidestream.model.kernels.jit.base.RegisterRange;
import dev.tidestream.model.kernels.jit.base.VectorRegisters;
import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.FloatExp;

import static dev.tidestream.model.kernels.jit.rows.RowConstant.VECTOR_BYTES;
import static dev.tidestream.model.machine.VectorOp.VADDPD;
import static dev.tidestream.model.machine.VectorOp.VADDPS;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSD;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSS;
import static dev.tidestream.model.machine.VectorOp.VCMPPD;
import static dev.tidestream.model.machine.VectorOp.VCMPPS;
import static dev.tidestream.model.machine.VectorOp.VCVTPS2PD;
import static dev.tidestream.model.machine.VectorOp.VDIVPD;
import static dev.tidestream.model.machine.VectorOp.VDIVPS;
import static dev.tidestream.model.machine.VectorOp.VFMADD213PS;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PD;
import static dev.tidestream.model.machine.VectorOp.VFMADD231PS;
import static dev.tidestream.model.machine.VectorOp.VFMSUB231PS;
import static dev.tidestream.model.machine.VectorOp.VMAXPS;
import static dev.tidestream.model.machine.VectorOp.VMINPS;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU;
import static dev.tidestream.model.machine.VectorOp.VMOVDQU_STORE;
import static dev.tidestream.model.machine.VectorOp.VMULPD;
import static dev.tidestream.model.machine.VectorOp.VMULPS;
import static dev.tidestream.model.machine.VectorOp.VPADDD;
import static dev.tidestream.model.machine.VectorOp.VPAND;
import static dev.tidestream.model.machine.VectorOp.VPOR;
import static dev.tidestream.model.machine.VectorOp.VPSUBQ;
import static dev.tidestream.model.machine.VectorOp.VPXOR;
import static dev.tidestream.model.machine.VectorOp.VROUNDPD;
import static dev.tidestream.model.machine.VectorOp.VSUBPD;
import static dev.tidestream.model.machine.VectorOp.VSUBPS;

/**
 * Emits the kernels with an {@code exp}; conventions are those of {@link RowEmitter}. Two or four vectors are interleaved
 * instruction by instruction to hide latency. They share constants; each has registers of its own.
 */
final class ExpEmitter {
    /** Floats of a group of {@link #activations} and {@link #softcap}. */
    static final int GROUP = 32;
    /** Doubles of a group of {@link #exponentials}. */
    static final int DOUBLES = 8;

    /** Of floats: four vectors with registers of their own, and constants. */
    private static final VectorRegisters FLOATS = VectorRegisters.ymm();
    private static final int GATE_REGISTERS = 3;
    private static final int[] GATES = firsts(FLOATS.take("argument, exponent, polynomial of four vectors", 4 * GATE_REGISTERS),
            GATE_REGISTERS);
    private static final int AT_HAND = FLOATS.take("the constant at hand", 1).only();
    private static final int P0 = FLOATS.take("first coefficient", 1).only();
    private static final int ROUND = FLOATS.take("what rounds", 1).only();
    private static final int ONE = FLOATS.take("1", 1).only();

    /** Of doubles: two vectors; {@link #AT_HAND} and {@link #ONE} are the same. */
    private static final VectorRegisters DOUBLE_ROLES = VectorRegisters.ymm();
    private static final int PAIR_REGISTERS = 6;
    private static final int[] PAIR = firsts(DOUBLE_ROLES.take("numbers of two vectors", 2 * PAIR_REGISTERS), PAIR_REGISTERS);
    private static final int TWO = DOUBLE_ROLES.without("the constant at hand", 2).take("2", 1).only();

    /** While arguments of doubles are made. */
    private static final VectorRegisters ARGUMENTS = VectorRegisters.ymm().without("numbers of two vectors", 8);
    private static final int MAX = ARGUMENTS.take("what is subtracted", 1).only();
    private static final int DIVISOR = ARGUMENTS.take("divisor", 1).only();
    private static final int ZERO = ARGUMENTS.take("0", 1).only();
    private static final int FINE = ARGUMENTS.take("whether all are fine", 1).only();
    private static final int MANTISSA_BITS = 23;
    private static final int DOUBLE_MANTISSA_BITS = 52;
    private static final int TO_ZERO = 0xB; // for VROUNDPD
    private static final int BELOW = 0x11; // for VCMPPD
    private static final int AT_MOST = 0x12;
    private static final int AT_LEAST = 0x1D;

    private final Assembler code;

    private ExpEmitter(Assembler code) {
        this.code = code;
    }

    /**
     * {@code f(x)} of (groups, 32) floats x at rsi go to rcx.
     *
     * @param gated whether they are multiplied with others at rdx
     */
    static void activations(Assembler code, ActivationFunction function, boolean gated) {
        new ExpEmitter(code).activations(function, gated);
    }

    /** Of (groups, 32) floats x at rsi, {@code CAP - TWICE_CAP / (1 + exp(-x * FLOAT))} go to rcx, with the scratch's floats. */
    static void softcap(Assembler code) {
        new ExpEmitter(code).capped();
    }

    /**
     * {@code exp((value - max) / divisor)} of (groups, 8) floats at rsi go to rdx as doubles; the scratch learns whether all were
     * such that they are right.
     */
    static void exponentials(Assembler code) {
        new ExpEmitter(code).doubles();
    }

    private void activations(ActivationFunction function, boolean gated) {
        RowEmitter.groups(code, this::constants, () -> {
            switch (function) {
                case SILU -> {
                    each(GATES, a -> code.vector(VMOVDQU, a, gate(Register.RSI, a)));
                    sigmoids();
                }
                case GELU_TANH -> {
                    each(GATES, a -> code.vector(VMOVDQU, a, gate(Register.RSI, a)));
                    each(GATES, a -> code.vector(VMULPS, a + 1, a, a));
                    each(GATES, RowConstant.GELU_CUBIC,
                            a -> code.vector(VFMADD213PS, a + 1, AT_HAND, RowConstant.GELU_LINEAR.address()));
                    each(GATES, a -> code.vector(VMULPS, a, a, a + 1));
                    sigmoids();
                }
                case RELU_SQUARED -> {
                    code.vector(VPXOR, AT_HAND, AT_HAND, AT_HAND);
                    each(GATES, a -> code.vector(VMAXPS, a, AT_HAND, gate(Register.RSI, a))); // NaN stays
                    each(GATES, a -> code.vector(VMULPS, a, a, a));
                }
            }
            each(GATES, a -> {
                if (gated) {
                    code.vector(VMULPS, a, a, gate(Register.RDX, a));
                }
                code.vector(VMOVDQU_STORE, a, gate(Register.RCX, a));
            });
            code.add(Register.RSI, GROUP * Float.BYTES);
            code.add(Register.RDX, GROUP * Float.BYTES);
            code.add(Register.RCX, GROUP * Float.BYTES);
        });
        RowEmitter.end(code);
    }

    private void constants() {
        code.vector(VMOVDQU, P0, RowConstant.P0.address());
        code.vector(VMOVDQU, ROUND, RowConstant.ROUND.address());
        code.vector(VMOVDQU, ONE, RowConstant.ONE.address());
    }

    /** {@code x / (1 + exp(-g))} to a, of g in a and x at rsi. */
    private void sigmoids() {
        power();
        each(GATES, a -> code.vector(VADDPS, a + 2, a + 2, ONE));
        each(GATES, a -> {
            code.vector(VMOVDQU, a, gate(Register.RSI, a));
            code.vector(VDIVPS, a, a, a + 2);
        });
    }

    private void capped() {
        RowEmitter.groups(code, this::constants, () -> {
            code.vector(VBROADCASTSS, AT_HAND, RowEmitter.scratch(RowScratch.FLOAT));
            each(GATES, a -> code.vector(VMULPS, a, AT_HAND, gate(Register.RSI, a)));
            power();
            each(GATES, a -> code.vector(VADDPS, a + 2, a + 2, ONE));
            code.vector(VBROADCASTSS, AT_HAND, RowEmitter.scratch(RowScratch.TWICE_CAP));
            each(GATES, a -> code.vector(VDIVPS, a + 2, AT_HAND, a + 2));
            code.vector(VBROADCASTSS, AT_HAND, RowEmitter.scratch(RowScratch.CAP));
            each(GATES, a -> code.vector(VSUBPS, a + 2, AT_HAND, a + 2));
            each(GATES, a -> { // NaN stays
                code.vector(VMOVDQU, a, gate(Register.RSI, a));
                code.vector(VCMPPS, a, a, a, RowEmitter.NEITHER_ORDERED);
                code.vector(VPOR, a, a, a + 2);
                code.vector(VMOVDQU_STORE, a, gate(Register.RCX, a));
            });
            code.add(Register.RSI, GROUP * Float.BYTES);
            code.add(Register.RCX, GROUP * Float.BYTES);
        });
        RowEmitter.end(code);
    }

    /**
     * {@code exp(-g)} to a + 2, with the operations of {@link FloatExp}, but for signs: its argument is kept as g, its negative.
     * A NaN passes the bounds as one of them, so the caller has to see to it. Powers of two are added to exponents: no product is
     * subnormal.
     *
     * <p>a is g, then r; a + 1 round + n, whose lowest bits become the exponent; a + 2 n, then the polynomial.
     */
    private void power() {
        each(GATES, RowConstant.LEAST_NEGATED, a -> code.vector(VMAXPS, a, a, AT_HAND));
        each(GATES, RowConstant.MOST_NEGATED, a -> code.vector(VMINPS, a, a, AT_HAND));
        each(GATES, RowConstant.MINUS_LOG2_E, a -> code.vector(VMULPS, a + 1, a, AT_HAND));
        each(GATES, a -> code.vector(VADDPS, a + 1, a + 1, ROUND));
        each(GATES, a -> code.vector(VSUBPS, a + 2, a + 1, ROUND));
        each(GATES, RowConstant.MINUS_LN2_HIGH, a -> code.vector(VFMSUB231PS, a, a + 2, AT_HAND));
        each(GATES, RowConstant.MINUS_LN2_LOW, a -> code.vector(VFMADD231PS, a, a + 2, AT_HAND));
        each(GATES, a -> code.vector(VMOVDQU, a + 2, P0));
        for (RowConstant next : new RowConstant[] {
            RowConstant.P1, RowConstant.P2, RowConstant.P3, RowConstant.P4, RowConstant.P5}) {
            each(GATES, next, a -> code.vector(VFMADD213PS, a + 2, a, AT_HAND));
        }
        each(GATES, a -> {
            code.vector(VMULPS, AT_HAND, a, a);
            code.vector(VFMADD213PS, a + 2, AT_HAND, a);
        });
        each(GATES, a -> code.shift(Shift.VPSLLD, a + 1, a + 1, MANTISSA_BITS));
        each(GATES, a -> code.vector(VADDPS, a + 2, a + 2, ONE));
        each(GATES, a -> code.vector(VPADDD, a + 2, a + 2, a + 1));
    }

    private static Address gate(Register array, int a) {
        return new Address(array, a / GATE_REGISTERS * VECTOR_BYTES);
    }

    private void doubles() {
        code.add(Register.RSI, RowEmitter.scratch(RowScratch.FIRST_OFFSET));
        code.add(Register.RDX, RowEmitter.scratch(RowScratch.SECOND_OFFSET));
        arguments();
        code.vector(VMOVDQU, TWO, RowConstant.DOUBLE_TWO.address());
        code.vector(VMOVDQU, ONE, RowConstant.DOUBLE_ONE.address());
        RowEmitter.repeat(code, () -> {
            reduced();
            quotient();
            sum();
            code.add(Register.RDX, DOUBLES * Double.BYTES);
        });
        RowEmitter.end(code);
    }

    /**
     * First, arguments x go to where results will be. They are fine if neither positive nor NaN, and if {@code exp} gives a
     * normal number or 0.
     */
    private void arguments() {
        code.move(Register.RCX, Register.RDX);
        code.vector(VBROADCASTSD, MAX, RowEmitter.scratch(RowScratch.MAX));
        code.vector(VBROADCASTSD, DIVISOR, RowEmitter.scratch(RowScratch.DIVISOR));
        code.vector(VPXOR, ZERO, ZERO, ZERO);
        code.vector(VCMPPD, FINE, ZERO, ZERO, AT_MOST); // all bits
        RowEmitter.repeat(code, () -> {
            for (int i = 0; i < PAIR.length; i++) {
                int a = 3 * i;
                code.vector(VCVTPS2PD, a, new Address(Register.RSI, i * VECTOR_BYTES / 2));
                code.vector(VSUBPD, a, a, MAX);
                code.vector(VDIVPD, a, a, DIVISOR);
                code.vector(VMOVDQU_STORE, a, new Address(Register.RCX, i * VECTOR_BYTES));
                code.vector(VCMPPD, a + 1, a, RowConstant.DOUBLE_SMALLEST_NORMAL.address(), AT_LEAST);
                code.vector(VCMPPD, a + 2, a, RowConstant.DOUBLE_UNDERFLOW.address(), BELOW);
                code.vector(VPOR, a + 1, a + 1, a + 2);
                code.vector(VCMPPD, a, a, ZERO, AT_MOST);
                code.vector(VPAND, FINE, FINE, a + 1);
                code.vector(VPAND, FINE, FINE, a);
            }
            code.add(Register.RSI, DOUBLES * Float.BYTES);
            code.add(Register.RCX, DOUBLES * Double.BYTES);
        });
        code.signs(Register.RAX, FINE);
        code.store(RowEmitter.scratch(RowScratch.FINE), Register.RAX);
    }

    /** {@code x = high + low - n ln 2}: a high + low, 1 n as an exponent, 2 low, 3 high, whose product is exact. */
    private void reduced() {
        each(PAIR, a -> code.vector(VMOVDQU, a + 3, argument(a)));
        each(PAIR, a -> code.vector(VMULPD, a, a + 3, RowConstant.DOUBLE_MINUS_LOG2_E.address()));
        each(PAIR, a -> code.vector(VADDPD, a, a, RowConstant.DOUBLE_HALF.address()));
        each(PAIR, a -> code.vector(VROUNDPD, a, 0, a, TO_ZERO));
        each(PAIR, a -> code.vector(VCMPPD, a + 1, a + 3, RowConstant.DOUBLE_MINUS_HALF_LN2.address(), AT_MOST));
        each(PAIR, a -> code.vector(VPAND, a, a, a + 1));
        each(PAIR, a -> code.vector(VMULPD, a + 2, a, RowConstant.DOUBLE_LN2_LOW.address()));
        each(PAIR, a -> code.vector(VFMADD231PD, a + 3, a, RowConstant.DOUBLE_LN2_HIGH.address()));
        each(PAIR, a -> code.vector(VADDPD, a + 1, a, RowConstant.DOUBLE_ROUND.address()));
        each(PAIR, a -> code.vector(VADDPD, a, a + 3, a + 2));
        each(PAIR, a -> code.shift(Shift.VPSLLQ, a + 1, a + 1, DOUBLE_MANTISSA_BITS));
    }

    /** {@code r * c / (2 - c)} to a + 4, of r in a; c is r less a polynomial. */
    private void quotient() {
        each(PAIR, a -> code.vector(VMULPD, a + 4, a, a));
        each(PAIR, a -> code.vector(VMULPD, a + 5, a + 4, RowConstant.DOUBLE_P5.address()));
        for (RowConstant next : new RowConstant[] {
            RowConstant.DOUBLE_P4, RowConstant.DOUBLE_P3, RowConstant.DOUBLE_P2, RowConstant.DOUBLE_P1}) {
            each(PAIR, next, a -> code.vector(VADDPD, a + 5, a + 5, AT_HAND));
            each(PAIR, a -> code.vector(VMULPD, a + 5, a + 5, a + 4));
        }
        each(PAIR, a -> code.vector(VSUBPD, a + 5, a, a + 5));
        each(PAIR, a -> code.vector(VMULPD, a + 4, a, a + 5));
        each(PAIR, a -> code.vector(VSUBPD, a + 5, TWO, a + 5));
        each(PAIR, a -> code.vector(VDIVPD, a + 4, a + 4, a + 5));
    }

    /** {@code 1 + (high + (low + quotient))}, scaled; without a quotient if x is tiny (it has no n then), 0 if it is too low. */
    private void sum() {
        each(PAIR, a -> code.vector(VMOVDQU, a, argument(a)));
        each(PAIR, a -> code.vector(VCMPPD, a + 5, a, RowConstant.DOUBLE_MINUS_TINY.address(), AT_MOST));
        each(PAIR, a -> code.vector(VPAND, a + 4, a + 4, a + 5));
        each(PAIR, a -> code.vector(VADDPD, a + 2, a + 2, a + 4));
        each(PAIR, a -> code.vector(VCMPPD, a, a, RowConstant.DOUBLE_SMALLEST_NORMAL.address(), AT_LEAST));
        each(PAIR, a -> code.vector(VADDPD, a + 2, a + 2, a + 3));
        each(PAIR, a -> code.vector(VADDPD, a + 2, a + 2, ONE));
        each(PAIR, a -> code.vector(VPSUBQ, a + 2, a + 2, a + 1));
        each(PAIR, a -> code.vector(VPAND, a + 2, a + 2, a));
        each(PAIR, a -> code.vector(VMOVDQU_STORE, a + 2, argument(a)));
    }

    private static Address argument(int a) {
        return new Address(Register.RDX, a / PAIR_REGISTERS * VECTOR_BYTES);
    }

    /** The first register of each vector. */
    private static int[] firsts(RegisterRange all, int ofOne) {
        return IntStream.range(0, all.count() / ofOne).map(i -> all.at(i * ofOne)).toArray();
    }

    private static void each(int[] vectors, IntConsumer step) {
        for (int first : vectors) {
            step.accept(first);
        }
    }

    /** With a constant at hand. */
    private void each(int[] vectors, RowConstant constant, IntConsumer step) {
        code.vector(VMOVDQU, AT_HAND, constant.address());
        each(vectors, step);
    }
}

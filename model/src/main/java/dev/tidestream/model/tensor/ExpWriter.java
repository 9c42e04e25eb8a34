package dev.tidestream.model.tensor;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Assembler;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.machine.Shift;
import dev.tidestream.model.machine.VectorOp;

import static dev.tidestream.model.machine.VectorOp.VADDPD;
import static dev.tidestream.model.machine.VectorOp.VADDPS;
import static dev.tidestream.model.machine.VectorOp.VBROADCASTSD;
import static dev.tidestream.model.machine.VectorOp.VCMPPD;
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
import static dev.tidestream.model.machine.VectorOp.VROUNDPD;
import static dev.tidestream.model.machine.VectorOp.VSUBPD;
import static dev.tidestream.model.machine.VectorOp.VSUBPS;
import static dev.tidestream.model.tensor.RowConstant.VECTOR_BYTES;

/** Writes the programs with an {@code exp}; the rest is as {@link RowWriter} says. */
final class ExpWriter {
    /** Floats of a group of {@link #swiGlu}. */
    static final int GROUP = 16;
    /** Doubles of a group of {@link #exponentials}. */
    static final int DOUBLES = 4;

    private static final int MANTISSA_BITS = 23;
    private static final int DOUBLE_MANTISSA_BITS = 52;
    private static final int TO_ZERO = 0xB; // for VROUNDPD
    private static final int BELOW = 0x11; // for VCMPPD
    private static final int AT_MOST = 0x12;
    private static final int AT_LEAST = 0x1D;
    private static final int ABOVE = 0x1E;

    private final Assembler code;

    private ExpWriter(Assembler code) {
        this.code = code;
    }

    /** {@code g / (1 + exp(-g)) * up} of (groups, 16) floats g at rsi and others at rdx go to rcx. */
    static void swiGlu(Assembler code) {
        new ExpWriter(code).gates();
    }

    /**
     * {@code exp((value - max) / divisor)} of (groups, 4) floats at rsi go to rdx as doubles; the scratch learns whether all were
     * such that they are right.
     */
    static void exponentials(Assembler code) {
        new ExpWriter(code).doubles();
    }

    /** Constants in 8–15. */
    private void gates() {
        RowConstant[] constants = {RowConstant.MINUS_LOG2_E, RowConstant.ROUND, RowConstant.MINUS_LN2_HIGH,
            RowConstant.MINUS_LN2_LOW, RowConstant.P0, RowConstant.P1, RowConstant.P2, RowConstant.ONE};
        RowWriter.groups(code, () -> {
            for (int i = 0; i < constants.length; i++) {
                code.vector(VMOVDQU, 8 + i, constants[i].address());
            }
        }, () -> {
            gate(0, 0);
            gate(4, VECTOR_BYTES);
            code.add(Register.RSI, GROUP * Float.BYTES);
            code.add(Register.RDX, GROUP * Float.BYTES);
            code.add(Register.RCX, GROUP * Float.BYTES);
        });
        RowWriter.end(code);
    }

    /**
     * Eight floats, with the operations of {@link FloatExp}, but for signs: x is kept as g = -x. A NaN passes the bounds as one of
     * them; it is g that makes the quotient NaN. Powers of two are added to exponents: no product is subnormal.
     *
     * @param a and the three behind it: g, then r; round + n; n, then the polynomial; r * r
     */
    private void gate(int a, int offset) {
        int shifted = a + 1;
        int p = a + 2;
        code.vector(VMOVDQU, a, new Address(Register.RSI, offset));
        constant(VMAXPS, a, RowConstant.LEAST_NEGATED);
        constant(VMINPS, a, RowConstant.MOST_NEGATED);
        code.vector(VMULPS, shifted, a, 8);
        code.vector(VADDPS, shifted, shifted, 9);
        code.vector(VSUBPS, p, shifted, 9);
        code.vector(VFMSUB231PS, a, p, 10);
        code.vector(VFMADD231PS, a, p, 11);
        code.vector(VMOVDQU, p, 12);
        code.vector(VFMADD213PS, p, a, 13);
        code.vector(VFMADD213PS, p, a, 14);
        code.vector(VFMADD213PS, p, a, RowConstant.P3.address());
        code.vector(VFMADD213PS, p, a, RowConstant.P4.address());
        code.vector(VFMADD213PS, p, a, RowConstant.P5.address());
        code.vector(VMULPS, a + 3, a, a);
        code.vector(VFMADD213PS, p, a + 3, a);
        code.vector(VADDPS, p, p, 15);
        code.shift(Shift.VPSLLD, shifted, shifted, MANTISSA_BITS);
        code.vector(VPADDD, p, p, shifted);
        code.vector(VADDPS, p, p, 15);
        code.vector(VMOVDQU, a, new Address(Register.RSI, offset));
        code.vector(VDIVPS, p, a, p);
        code.vector(VMULPS, p, p, new Address(Register.RDX, offset));
        code.vector(VMOVDQU_STORE, p, new Address(Register.RCX, offset));
    }

    /** 8 max, 9 divisor, 10 1, 11 2, 12 0, 13 whether all were fine. */
    private void doubles() {
        RowWriter.groups(code, () -> {
            code.vector(VBROADCASTSD, 8, RowWriter.scratch(RowScratch.MAX));
            code.vector(VBROADCASTSD, 9, RowWriter.scratch(RowScratch.DIVISOR));
            code.vector(VMOVDQU, 10, RowConstant.DOUBLE_ONE.address());
            code.vector(VMOVDQU, 11, RowConstant.DOUBLE_TWO.address());
            code.vector(VectorOp.VPXOR, 12, 12, 12);
            code.vector(VCMPPD, 13, 12, 12, AT_MOST); // all bits
        }, () -> {
            code.vector(VCVTPS2PD, 0, new Address(Register.RSI, 0));
            code.vector(VSUBPD, 0, 0, 8);
            code.vector(VDIVPD, 0, 0, 9);
            fine();
            reduced();
            quotient();
            code.vector(VADDPD, 4, 4, 6);
            code.vector(VADDPD, 4, 4, 5);
            code.vector(VADDPD, 4, 4, 10);
            code.vector(VPSUBQ, 4, 4, 3);
            code.vector(VADDPD, 5, 0, 10);
            code.vector(VCMPPD, 6, 0, RowConstant.DOUBLE_MINUS_TINY.address(), ABOVE);
            code.blend(4, 4, 5, 6);
            code.vector(VPAND, 4, 4, 1);
            code.vector(VMOVDQU_STORE, 4, new Address(Register.RDX, 0));
            code.add(Register.RSI, DOUBLES * Float.BYTES);
            code.add(Register.RDX, DOUBLES * Double.BYTES);
        });
        code.signs(Register.RAX, 13);
        code.store(RowWriter.scratch(RowScratch.FINE), Register.RAX);
        RowWriter.end(code);
    }

    /** Where x (in 0) is neither positive nor NaN, and gives a normal number, which 1 says, or none but 0. */
    private void fine() {
        code.vector(VCMPPD, 1, 0, RowConstant.DOUBLE_SMALLEST_NORMAL.address(), AT_LEAST);
        code.vector(VCMPPD, 2, 0, RowConstant.DOUBLE_UNDERFLOW.address(), BELOW);
        code.vector(VPOR, 2, 2, 1);
        code.vector(VPAND, 13, 13, 2);
        code.vector(VCMPPD, 2, 0, 12, AT_MOST);
        code.vector(VPAND, 13, 13, 2);
    }

    /** {@code x = high + low - n ln 2}: 2 high + low, 3 n as an exponent, 4 low, 5 high. The product in high is exact. */
    private void reduced() {
        code.vector(VMULPD, 2, 0, RowConstant.DOUBLE_MINUS_LOG2_E.address());
        constant(VADDPD, 2, RowConstant.DOUBLE_HALF);
        code.vector(VROUNDPD, 2, 0, 2, TO_ZERO);
        code.vector(VCMPPD, 3, 0, RowConstant.DOUBLE_MINUS_HALF_LN2.address(), AT_MOST);
        code.vector(VPAND, 2, 2, 3);
        code.vector(VADDPD, 3, 2, RowConstant.DOUBLE_ROUND.address());
        code.shift(Shift.VPSLLQ, 3, 3, DOUBLE_MANTISSA_BITS);
        code.vector(VMULPD, 4, 2, RowConstant.DOUBLE_LN2_LOW.address());
        code.vector(VMOVDQU, 5, 0);
        code.vector(VFMADD231PD, 5, 2, RowConstant.DOUBLE_LN2_HIGH.address());
        code.vector(VADDPD, 2, 5, 4);
    }

    /** {@code r * c / (2 - c)} to 6, of r in 2; c is r less a polynomial. */
    private void quotient() {
        code.vector(VMULPD, 6, 2, 2);
        code.vector(VMULPD, 7, 6, RowConstant.DOUBLE_P5.address());
        for (RowConstant next : new RowConstant[] {
            RowConstant.DOUBLE_P4, RowConstant.DOUBLE_P3, RowConstant.DOUBLE_P2, RowConstant.DOUBLE_P1}) {
            constant(VADDPD, 7, next);
            code.vector(VMULPD, 7, 7, 6);
        }
        code.vector(VSUBPD, 7, 2, 7);
        code.vector(VMULPD, 6, 2, 7);
        code.vector(VSUBPD, 7, 11, 7);
        code.vector(VDIVPD, 6, 6, 7);
    }

    private void constant(VectorOp op, int d, RowConstant constant) {
        code.vector(op, d, d, constant.address());
    }
}

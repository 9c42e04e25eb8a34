package dev.tidestream.model.kernels.jit.rows;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.DoubleExp;
import dev.tidestream.model.tensor.FloatExp;

/** Vectors of one float or double, at their places in {@link RowScratch}. The doubles are those of {@link DoubleExp}. */
enum RowConstant {
    NEGATIVE_INFINITY(Float.NEGATIVE_INFINITY),
    /** The least and the largest of what {@link FloatExp} is given the negative of. */
    LEAST_NEGATED(-FloatExp.MAX),
    MOST_NEGATED(-FloatExp.MIN),
    MINUS_LOG2_E(-FloatExp.LOG2_E),
    ROUND(FloatExp.ROUND),
    MINUS_LN2_HIGH(FloatExp.MINUS_LN2_HIGH),
    MINUS_LN2_LOW(FloatExp.MINUS_LN2_LOW),
    P0(FloatExp.P0),
    P1(FloatExp.P1),
    P2(FloatExp.P2),
    P3(FloatExp.P3),
    P4(FloatExp.P4),
    P5(FloatExp.P5),
    ONE(1f),
    /** What follows is for exponentials in double. */
    DOUBLE_MINUS_LOG2_E(-DoubleExp.LOG2_E),
    DOUBLE_HALF(0.5),
    DOUBLE_ONE(1.0),
    DOUBLE_TWO(2.0),
    /** Added to an integer from 0, it leaves that in the lowest bits. */
    DOUBLE_ROUND(DoubleExp.ROUND),
    DOUBLE_LN2_HIGH(DoubleExp.LN2_HIGH),
    DOUBLE_LN2_LOW(DoubleExp.LN2_LOW),
    DOUBLE_P1(DoubleExp.P1),
    DOUBLE_P2(DoubleExp.P2),
    DOUBLE_P3(DoubleExp.P3),
    DOUBLE_P4(DoubleExp.P4),
    DOUBLE_P5(DoubleExp.P5),
    /** Above it, fdlibm takes no multiple of ln 2 away: it looks at the upper word. */
    DOUBLE_MINUS_HALF_LN2(Double.longBitsToDouble(0xbfd62e43_00000000L)),
    DOUBLE_MINUS_TINY(-DoubleExp.TINY),
    DOUBLE_UNDERFLOW(RowConstant.UNDERFLOW),
    DOUBLE_SMALLEST_NORMAL(RowConstant.SMALLEST_NORMAL),
    GELU_LINEAR(ActivationFunction.GELU_LINEAR),
    GELU_CUBIC(ActivationFunction.GELU_CUBIC);

    /** Below it, {@code exp} is 0. */
    static final double UNDERFLOW = DoubleExp.UNDERFLOW;
    /** From it on, {@code exp} is a normal number. */
    static final double SMALLEST_NORMAL = DoubleExp.SMALLEST_NORMAL;

    static final int VECTOR_BYTES = 32;

    private final long bits;

    RowConstant(float value) {
        this((Float.floatToRawIntBits(value) & 0xffffffffL) * 0x1_00000001L);
    }

    RowConstant(double value) {
        this(Double.doubleToRawLongBits(value));
    }

    RowConstant(long bits) {
        this.bits = bits;
    }

    /** 64 of its 256 bits; the others are the same. */
    long bits() {
        return bits;
    }

    int offset() {
        return RowScratch.offset(this);
    }

    /** Where a program finds it. */
    Address address() {
        return new Address(Register.RDI, offset());
    }
}

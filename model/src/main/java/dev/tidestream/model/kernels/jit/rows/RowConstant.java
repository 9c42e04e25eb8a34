package dev.tidestream.model.kernels.jit.rows;

import dev.tidestream.model.machine.Address;
import dev.tidestream.model.machine.Register;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.DoubleExp;
import dev.tidestream.model.tensor.FloatExp;

/** Vectors of one float or double, at their places in {@link RowScratch}. The doubles are those of {@link DoubleExp}. */
enum RowConstant {
    NEGATIVE_INFINITY(0, Float.NEGATIVE_INFINITY),
    /** The least and the largest of what {@link FloatExp} is given the negative of. */
    LEAST_NEGATED(1, -FloatExp.MAX),
    MOST_NEGATED(2, -FloatExp.MIN),
    MINUS_LOG2_E(3, -FloatExp.LOG2_E),
    ROUND(4, FloatExp.ROUND),
    MINUS_LN2_HIGH(5, FloatExp.MINUS_LN2_HIGH),
    MINUS_LN2_LOW(6, FloatExp.MINUS_LN2_LOW),
    P0(7, FloatExp.P0),
    P1(8, FloatExp.P1),
    P2(9, FloatExp.P2),
    P3(10, FloatExp.P3),
    P4(11, FloatExp.P4),
    P5(12, FloatExp.P5),
    ONE(13, 1f),
    /** What follows is for exponentials in double. */
    DOUBLE_MINUS_LOG2_E(14, -DoubleExp.LOG2_E),
    DOUBLE_HALF(15, 0.5),
    DOUBLE_ONE(16, 1.0),
    DOUBLE_TWO(17, 2.0),
    /** Added to an integer from 0, it leaves that in the lowest bits. */
    DOUBLE_ROUND(18, DoubleExp.ROUND),
    DOUBLE_LN2_HIGH(19, DoubleExp.LN2_HIGH),
    DOUBLE_LN2_LOW(20, DoubleExp.LN2_LOW),
    DOUBLE_P1(21, DoubleExp.P1),
    DOUBLE_P2(22, DoubleExp.P2),
    DOUBLE_P3(23, DoubleExp.P3),
    DOUBLE_P4(24, DoubleExp.P4),
    DOUBLE_P5(25, DoubleExp.P5),
    /** Above it, fdlibm takes no multiple of ln 2 away: it looks at the upper word. */
    DOUBLE_MINUS_HALF_LN2(26, Double.longBitsToDouble(0xbfd62e43_00000000L)),
    DOUBLE_MINUS_TINY(27, -DoubleExp.TINY),
    DOUBLE_UNDERFLOW(28, RowConstant.UNDERFLOW),
    DOUBLE_SMALLEST_NORMAL(29, RowConstant.SMALLEST_NORMAL),
    GELU_LINEAR(30, ActivationFunction.GELU_LINEAR),
    GELU_CUBIC(31, ActivationFunction.GELU_CUBIC);

    /** Below it, {@code exp} is 0. */
    static final double UNDERFLOW = DoubleExp.UNDERFLOW;
    /** From it on, {@code exp} is a normal number. */
    static final double SMALLEST_NORMAL = DoubleExp.SMALLEST_NORMAL;

    static final int VECTOR_BYTES = 32;
    static final int ROOM_BYTES = 32 * VECTOR_BYTES;

    private final int place;
    private final long bits;

    RowConstant(int place, float value) {
        this(place, (Float.floatToRawIntBits(value) & 0xffffffffL) * 0x1_00000001L);
    }

    RowConstant(int place, double value) {
        this(place, Double.doubleToRawLongBits(value));
    }

    RowConstant(int place, long bits) {
        if ((place + 1) * VECTOR_BYTES > ROOM_BYTES) {
            throw new AssertionError("no room for constants: place=" + place);
        }
        this.place = place;
        this.bits = bits;
    }

    /** 64 of its 256 bits; the others are the same. */
    long bits() {
        return bits;
    }

    int offset() {
        return RowScratch.CONSTANTS + place * VECTOR_BYTES;
    }

    /** Where a program finds it. */
    Address address() {
        return new Address(Register.RDI, offset());
    }
}

package dev.tidestream.model.tensor;

/**
 * Constants of {@code exp} in double as fdlibm's {@code e_exp.c} computes it (Sun Microsystems, 1993), which {@code StrictMath}
 * is a port of. Kernels that repeat it operation by operation give the same bits: see {@link Kernels#exponentials}.
 */
public final class DoubleExp {
    public static final double LOG2_E = 1.4426950408889634;
    public static final double LN2_HIGH = 0.6931471803691238;
    public static final double LN2_LOW = 1.9082149292705877e-10;
    public static final double P1 = 0.16666666666666602;
    public static final double P2 = -0.0027777777777015593;
    public static final double P3 = 6.613756321437934e-05;
    public static final double P4 = -1.6533902205465252e-06;
    public static final double P5 = 4.1381367970572385e-08;
    /** Adding 2^52 to a positive number rounds it to an integer, which is then in the lowest bits. */
    public static final double ROUND = 0x1p52;
    /** From here on fdlibm takes half of ln 2 for less than half: it looks at the upper word. */
    public static final double HALF_LN2 = Double.longBitsToDouble(0x3fd62e43_00000000L);
    /** Of an argument that is smaller in magnitude, the exponential is the argument plus 1. */
    public static final double TINY = 0x1p-28;
    /** Below it, the exponential is 0. */
    public static final double UNDERFLOW = -745.1332191019411;
    /** From it on, the exponential is a normal number. */
    public static final double SMALLEST_NORMAL = -707;

    private DoubleExp() {}
}

package dev.tidestream.model.tensor;

/**
 * {@code a * b + c} of floats, rounded once, as {@link Math#fma(float, float, float)} is. Where the processor has an instruction for it,
 * this is that instruction. Where it has none, {@code Math.fma} goes through {@code BigDecimal} (0.5 to 2 microseconds), and this goes
 * through doubles (some nanoseconds), to the same bits.
 *
 * <p>The choice is made once in a process and is a constant for the compilers. Any thread.
 */
public final class Fma {
    /** Whether the JVM makes an instruction of {@link Math#fma(float, float, float)}. */
    private static final boolean HARDWARE = FmaSupport.present();

    /** Bits of a double's significand that a normal float does not have. */
    private static final long BEYOND_FLOAT = (1L << 29) - 1;
    /** Those of a double in the middle between two normal floats. */
    private static final long MIDDLE = 1L << 28;

    private Fma() {}

    /** Whether the processor has an instruction for it that the JVM uses. */
    public static boolean hardware() {
        return HARDWARE;
    }

    /** {@code a * b + c}, rounded once to the nearest float, ties to even. */
    public static float of(float a, float b, float c) {
        return HARDWARE ? Math.fma(a, b, c) : inDoubles(a, b, c);
    }

    /**
     * The same in double arithmetic, for all floats. The product is exact: 48 bits, and no exponent of a double's range is left. The sum
     * is rounded to 53 bits, which is one rounding too many only where it lies in the middle between two floats and the exact sum
     * does not, or where the float is subnormal and has fewer bits.
     */
    static float inDoubles(float a, float b, float c) {
        double product = (double) a * b;
        double sum = product + c;
        if ((Double.doubleToRawLongBits(sum) & BEYOND_FLOAT) == MIDDLE || Math.abs(sum) < Float.MIN_NORMAL) {
            return (float) toOdd(product, c, sum);
        }
        return (float) sum;
    }

    /**
     * The exact sum of two doubles, rounded to odd: of the two doubles around it, the one with an odd significand. Rounding that to float
     * is as good as rounding the exact sum (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
     *
     * @param sum of both, rounded to the nearest
     */
    private static double toOdd(double product, double c, double sum) {
        double ofC = sum - product;
        double error = (product - (sum - ofC)) + (c - ofC); // exact: Knuth's two-sum
        long bits = Double.doubleToRawLongBits(sum);
        if ((bits & 1) != 0 || !(error > 0 || error < 0)) { // NaN comes of infinities
            return sum;
        }
        boolean away = (error > 0) == (sum > 0); // from zero
        return Double.longBitsToDouble(away ? bits + 1 : bits - 1);
    }
}

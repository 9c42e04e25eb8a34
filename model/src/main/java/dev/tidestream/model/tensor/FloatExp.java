package dev.tidestream.model.tensor;

/**
 * {@code exp} in float32, specified operation by operation so that scalar and vector code give the same bits (the JDK's and a
 * vector library's differ). Range reduction {@code x = n ln 2 + r} with a split ln 2, a polynomial of degree 6 in r (Cephes
 * {@code expf}), scaling by {@code 2^n} through the exponent bits. Within 2 ulp on [-87, 88]; arguments beyond are clamped.
 */
public final class FloatExp {
    public static final float MIN = -87f;
    public static final float MAX = 88f;
    public static final float LOG2_E = 1.442695f;
    public static final float MINUS_LN2_HIGH = -0.6933594f;
    public static final float MINUS_LN2_LOW = 2.1219444E-4f;
    /** Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, ties to even. */
    public static final float ROUND = 12582912f;

    public static final float P0 = 1.9875691E-4f;
    public static final float P1 = 0.0013981999f;
    public static final float P2 = 0.008333452f;
    public static final float P3 = 0.041665796f;
    public static final float P4 = 0.16666666f;
    public static final float P5 = 0.5f;

    private FloatExp() {}

    public static float exp(float argument) {
        float x = Math.max(MIN, Math.min(MAX, argument));
        float n = (x * LOG2_E + ROUND) - ROUND;
        float r = Fma.of(n, MINUS_LN2_LOW, Fma.of(n, MINUS_LN2_HIGH, x));
        float p = Fma.of(P0, r, P1);
        p = Fma.of(p, r, P2);
        p = Fma.of(p, r, P3);
        p = Fma.of(p, r, P4);
        p = Fma.of(p, r, P5);
        p = Fma.of(p, r * r, r) + 1f;
        return p * Float.intBitsToFloat(((int) n + 127) << 23);
    }
}

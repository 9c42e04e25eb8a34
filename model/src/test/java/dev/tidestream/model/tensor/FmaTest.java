package dev.tidestream.model.tensor;

import java.util.SplittableRandom;
import java.util.function.Supplier;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The fused multiply-add in doubles has the bits of {@link Math#fma(float, float, float)}. */
class FmaTest {
    /** Without an instruction, what is expected takes a microsecond each. */
    private static final int CASES = Fma.hardware() ? 4_000_000 : 200_000;
    private static final int MIDDLES = CASES / 20;
    private static final float[] EDGES = {0f, Float.MIN_VALUE, 3 * Float.MIN_VALUE, Math.nextDown(Float.MIN_NORMAL), Float.MIN_NORMAL,
        Math.nextUp(Float.MIN_NORMAL), 0x1p-75f, 0x1p-63f, 0x1.8p-24f, 0x1p-24f, 0x1p-12f, 0x1.000002p-12f, 0.5f, Math.nextDown(1f), 1f,
        Math.nextUp(1f), 1.5f, 3f, 0x1.fffffep11f, 0x1p12f, 0x1.000002p12f, 0x1p23f, 0x1p24f, 0x1.000002p24f, 0x1p63f, 0x1p64f,
        0x1p104f, 0x1p127f, Math.nextDown(Float.MAX_VALUE), Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NaN};

    private static void check(float a, float b, float c) {
        int expected = Float.floatToIntBits(Math.fma(a, b, c));
        int actual = Float.floatToIntBits(Fma.inDoubles(a, b, c));
        if (expected != actual) { // no words for millions that are right
            Supplier<String> what = () -> "a=%a, b=%a, c=%a".formatted(a, b, c);
            assertEquals(Integer.toHexString(expected), Integer.toHexString(actual), what);
        }
    }

    @Test
    void shouldBeExactAtEveryEdge() {
        for (float a : EDGES) {
            for (float b : EDGES) {
                for (float c : EDGES) {
                    check(a, b, c);
                    check(-a, b, c);
                    check(a, b, -c);
                    check(-a, b, -c);
                }
            }
        }
    }

    /**
     * Sums a little beside the middle between two floats, which a double shows as the middle: (1 + 2^-j) (1 - 2^-j) = 1 - 2^-2j, times half
     * the last place of c. Two roundings, to double and to float, are wrong in many of them.
     */
    @Test
    void shouldRoundOnceBesideTheMiddle() {
        SplittableRandom random = new SplittableRandom(2);
        int wrongIfRoundedTwice = 0;
        for (int i = 0; i < MIDDLES; i++) {
            float c = Float.intBitsToFloat(random.nextInt() & 0x7fff_ffff);
            if (!Float.isFinite(c)) {
                continue;
            }
            int half = Math.getExponent(Math.ulp(c)) == Float.MIN_EXPONENT - 1 ? -150 : Math.getExponent(Math.ulp(c)) - 1;
            int j = random.nextInt(8, 24);
            float a = Math.scalb(1 + Math.scalb(1f, -j), half / 2);
            float b = Math.scalb(1 - Math.scalb(1f, -j), half - half / 2);
            for (float signed : new float[] {a, -a}) {
                check(signed, b, c);
                check(signed, b, -c);
                check(signed, Math.nextUp(b), c);
                wrongIfRoundedTwice += (float) ((double) signed * b + c) == Math.fma(signed, b, c) ? 0 : 1;
            }
        }
        assertTrue(wrongIfRoundedTwice > MIDDLES / 10, "wrong_if_rounded_twice=" + wrongIfRoundedTwice);
    }

    @Test
    void shouldBeExactForAllBits() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < CASES; i++) {
            check(Float.intBitsToFloat(random.nextInt()), Float.intBitsToFloat(random.nextInt()), Float.intBitsToFloat(random.nextInt()));
        }
    }
}

package dev.tidestream.model.kernels;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.tensor.Kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What sampling does to rows of logits, against the oracle: bits, not closeness. */
class RowKernelsTest {
    private static final long SEED = 20261124;
    private static final int[] COUNTS = {1, 2, 15, 16, 17, 31, 100, 1023, 1024, 1025, 1040, 5000};

    private final Kernels scalar = KernelSelection.scalar();

    static Stream<Kernels> fast() {
        return Stream.of(KernelSelection.vector(), KernelSelection.fastest());
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldFindTheOraclesMaxima(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int count : COUNTS) {
            for (int round = 0; round < 20; round++) {
                float[] row = row(count + 3, random);
                if (round % 4 == 1) {
                    row[3 + random.nextInt(count)] = Float.NaN;
                } else if (round % 4 == 2) {
                    row[3 + random.nextInt(count)] = Float.POSITIVE_INFINITY;
                } else if (round % 4 == 3) {
                    Arrays.fill(row, Float.NEGATIVE_INFINITY);
                }
                float[] expected = new float[80];
                float[] actual = new float[80];
                int found = scalar.maxima(row, 3, count, expected);
                assertEquals(found, fast.maxima(row, 3, count, actual));
                assertEquals(Math.ceilDiv(count, 1024) * 16, found);
                for (int i = 0; i < found; i++) {
                    assertEquals(expected[i] + 0f, actual[i] + 0f, "seed=%d, count=%d, i=%d".formatted(SEED, count, i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldFindWhatReachesAThreshold(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        for (int count : COUNTS) {
            float[] row = row(count + 5, random);
            for (float least : new float[] {Float.NEGATIVE_INFINITY, -1f, 0f, -0f, row[5], 30f, Float.POSITIVE_INFINITY}) {
                int[] expected = new int[count];
                int[] actual = new int[count];
                int found = scalar.atLeast(row, 5, count, least, expected);
                assertEquals(found, fast.atLeast(row, 5, count, least, actual));
                assertArrayEquals(Arrays.copyOf(expected, found), Arrays.copyOf(actual, found));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldGiveTheBitsOfStrictMath(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        float[] row = new float[40_000];
        for (double size : new double[] {1e-9, 1e-3, 1, 20, 400, 1e5}) {
            for (double divisor : new double[] {1, 0.7f, 2, 1e-30, Float.MIN_VALUE}) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = (float) (-size * random.nextDouble());
                }
                row[7] = Float.NEGATIVE_INFINITY;
                row[8] = 0f;
                row[9] = -0f;
                assertExponentials(fast, row, 0, divisor);
            }
        }
    }

    /** Where fdlibm changes from one way to another, and next to it. */
    @ParameterizedTest
    @MethodSource("fast")
    void shouldGiveTheBitsOfStrictMathAtTheSeams(Kernels fast) {
        double halfLn2 = Double.longBitsToDouble(0x3fd62e43_00000000L);
        double threeHalvesLn2 = Double.longBitsToDouble(0x3ff0a2b2_00000000L);
        double[] seams = {0x1p-28, halfLn2, 0.5 * Math.log(2), threeHalvesLn2, 1.5 * Math.log(2), 2.5 * Math.log(2),
            100.5 * Math.log(2), 707, 708.4, 709.78, 744.4, 745.1332191019411, 745.2, 1000};
        for (double seam : seams) {
            double x = seam;
            for (int i = 0; i < 40; i++) {
                x = Math.nextDown(x);
            }
            float[] row = new float[64];
            for (int i = 0; i < 80; i++, x = Math.nextUp(x)) {
                assertExponentials(fast, row, x, 1); // 0 - x is exact
            }
        }
        assertExponentials(fast, new float[] {3, 2, 1, 0, -1, -2, -3, Float.NaN, 800, 1, 1, 1, 1, 1, 1, 1, 1}, 1, 1); // above the maximum
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldGiveTheBitsOfStrictMathBetweenTheSeams(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED + 3);
        float[] zeros = new float[16];
        double[] expected = new double[16];
        double[] actual = new double[16];
        for (int i = 0; i < 300_000; i++) {
            double x = random.nextInt(4) == 0 ? random.nextDouble() * 750 : random.nextDouble() * 3;
            scalar.exponentials(zeros, 0, 1, x, 1, expected);
            fast.exponentials(zeros, 0, 16, x, 1, actual);
            assertEquals(expected[0], actual[5], () -> "seed=%d, x=%s".formatted(SEED, x));
        }
        assertTrue(expected[0] > 0 || actual[5] == 0);
    }

    private void assertExponentials(Kernels fast, float[] row, double max, double divisor) {
        double[] expected = new double[row.length];
        double[] actual = new double[row.length];
        scalar.exponentials(row, 0, row.length, max, divisor, expected);
        fast.exponentials(row, 0, row.length, max, divisor, actual);
        for (int i = 0; i < row.length; i++) {
            if (Double.doubleToLongBits(expected[i]) != Double.doubleToLongBits(actual[i])) {
                assertEquals(expected[i], actual[i], "value=%s, max=%s, divisor=%s".formatted(row[i], max, divisor));
            }
        }
    }

    private static float[] row(int length, SplittableRandom random) {
        float[] row = new float[length];
        for (int i = 0; i < length; i++) {
            row[i] = random.nextInt(9) == 0 ? (random.nextBoolean() ? 0f : -0f) : (float) random.nextGaussian() * 9;
        }
        return row;
    }
}

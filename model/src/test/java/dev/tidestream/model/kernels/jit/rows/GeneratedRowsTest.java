package dev.tidestream.model.kernels.jit.rows;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.machine.Cpu;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Norm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** Programs over rows against the oracle, at the edges: they have no bounds checks, so what lies beside must be as it was. */
class GeneratedRowsTest {
    private static final long SEED = 20261128;
    private static final float UNTOUCHED = 42f;
    private static final float[] ODD = {0f, -0f, 1f, -1f, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE,
        -Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, Float.intBitsToFloat(0xffc00001),
        Float.intBitsToFloat(0x7f800001), 87f, -87f, 88f, -88f, Math.nextUp(87f), Math.nextDown(-88f), 86.99f, 87.99f, 1e-30f, -1e30f};

    private static GeneratedRows machine;
    private final ScalarKernels scalar = ScalarKernels.INSTANCE;

    @BeforeAll
    static void shouldRunHere() {
        assumeTrue(Cpu.level() != Cpu.Level.NONE, "no machine code here");
        machine = GeneratedRows.assemble().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 4097})
    void shouldNormalise(int n) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (float size : new float[] {1f, 1e-30f, 1e18f, 1e30f, 0f}) {
            for (Norm norm : norms(n, random)) {
                float[] x = row(n + 9, size, random);
                float[] expected = filled(n + 21);
                float[] actual = filled(n + 21);
                scalar.normalise(norm, x, 7, expected, 11);
                machine.normalise(norm, x, 7, actual, 11);
                assertArrayEquals(bits(expected), bits(actual), "size=%s, %s".formatted(size, norm));
                machine.normalise(norm, x, 7, x, 7); // in place
                assertArrayEquals(bits(Arrays.copyOfRange(expected, 11, 11 + n)), bits(Arrays.copyOfRange(x, 7, 7 + n)),
                        "size=%s, %s".formatted(size, norm));
            }
        }
    }

    /** With the mean and without, with biases and without. */
    private static List<Norm> norms(int n, SplittableRandom random) {
        return List.of(Norm.rms(1e-5f, row(n, 1, random)), new Norm(false, 1e-6f, n, row(2 * n, 1, random)),
                Norm.layer(1e-5f, row(n, 1, random), new float[0]), Norm.layer(1e-5f, row(n, 1, random), row(n, 1, random)));
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -0f, Float.MIN_VALUE})
    void shouldNormaliseWhatIsOdd(float odd) {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        for (int at : new int[] {0, 15, 16, 70, 95, 96, 99}) {
            for (Norm norm : norms(100, random)) {
                float[] x = row(100, 1, random);
                x[at] = odd;
                float[] expected = new float[100];
                float[] actual = new float[100];
                scalar.normalise(norm, x, 0, expected, 0);
                machine.normalise(norm, x, 0, actual, 0);
                assertArrayEquals(bits(expected), bits(actual), "at=%d, %s".formatted(at, norm));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 4097})
    void shouldActivate(int n) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        for (ActivationFunction function : ActivationFunction.values()) {
            for (float size : new float[] {1f, 30f, 1e-20f, 1e20f}) {
                float[] gate = odd(n, size, random);
                float[] up = odd(n, 1, random);
                float[] expected = filled(n + 9);
                float[] actual = filled(n + 9);
                scalar.gate(function, gate, up, expected, 3, 3 + n);
                machine.gate(function, gate, up, actual, 3, 3 + n);
                assertArrayEquals(bits(expected), bits(actual), "%s, size=%s".formatted(function, size));
                float[] inPlace = gate.clone();
                machine.gate(function, inPlace, up, inPlace, 3, 3 + n);
                assertArrayEquals(bits(Arrays.copyOfRange(expected, 3, 3 + n)), bits(Arrays.copyOfRange(inPlace, 3, 3 + n)),
                        "in place: %s, size=%s".formatted(function, size));

                Arrays.fill(actual, UNTOUCHED);
                Arrays.fill(expected, UNTOUCHED);
                scalar.activate(function, gate, expected, 3, 3 + n);
                machine.activate(function, gate, actual, 3, 3 + n);
                assertArrayEquals(bits(expected), bits(actual), "alone: %s, size=%s".formatted(function, size));
                machine.activate(function, gate, gate, 3, 3 + n); // in place
                assertArrayEquals(bits(Arrays.copyOfRange(expected, 3, 3 + n)), bits(Arrays.copyOfRange(gate, 3, 3 + n)),
                        "alone, in place: %s, size=%s".formatted(function, size));
            }
        }
    }

    /** A row from index 3 on, with odd numbers among the others. */
    private static float[] odd(int n, float size, SplittableRandom random) {
        float[] out = row(n + 9, size, random);
        for (int i = 0; i < Math.min(n, ODD.length); i++) {
            out[3 + random.nextInt(n)] = ODD[i];
        }
        return out;
    }

    /** Every exponent, a fine grid where the result is neither 0 nor the gate, and what lies next to the bounds. */
    @ParameterizedTest
    @EnumSource(ActivationFunction.class)
    void shouldActivateAnyNumber(ActivationFunction function) {
        float[] gate = anyNumbers();
        int n = gate.length;
        float[] up = new float[n];
        Arrays.fill(up, 1.25f);
        float[] expected = new float[n];
        float[] actual = new float[n];
        scalar.gate(function, gate, up, expected, 0, n);
        machine.gate(function, gate, up, actual, 0, n);
        assertArrayEquals(bits(expected), bits(actual));
        scalar.activate(function, gate, expected, 0, n);
        machine.activate(function, gate, actual, 0, n);
        assertArrayEquals(bits(expected), bits(actual));
    }

    private static float[] anyNumbers() {
        int n = 1 << 20;
        float[] out = new float[n];
        for (int i = 0; i < n / 2; i++) {
            out[i] = Float.intBitsToFloat((i << 13) | (i * 7919 & 0x1fff));
        }
        for (int i = n / 2; i < n; i++) {
            out[i] = (i - 3 * n / 4) * 0x1p-18f * 92f;
        }
        return out;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 8191, 8192, 8193, 20_000})
    void shouldCap(int n) {
        SplittableRandom random = new SplittableRandom(SEED + 7);
        for (float cap : new float[] {30f, 50f, 0.3f, 1e-30f, 1e30f}) {
            for (float size : new float[] {1f, 100f, 1e-20f, 1e20f}) {
                float[] expected = odd(n, size, random);
                float[] actual = expected.clone();
                scalar.softcap(expected, 3, 3 + n, cap);
                machine.softcap(actual, 3, 3 + n, cap);
                assertArrayEquals(bits(expected), bits(actual), "cap=%s, size=%s".formatted(cap, size));
            }
        }
    }

    @Test
    void shouldCapAnyNumber() {
        float[] expected = anyNumbers();
        float[] actual = expected.clone();
        scalar.softcap(expected, 0, expected.length, 50f);
        machine.softcap(actual, 0, actual.length, 50f);
        assertArrayEquals(bits(expected), bits(actual));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 1023, 1024, 1025, 1056, 4097})
    void shouldFindMaxima(int n) {
        SplittableRandom random = new SplittableRandom(SEED + 3);
        int most = Math.ceilDiv(n, 1024) * 16;
        for (int round = 0; round < 30; round++) {
            float[] values = row(n + 9, 5, random);
            Arrays.fill(values, 0, 5, Float.NaN); // not in the row
            Arrays.fill(values, 5 + n, n + 9, Float.POSITIVE_INFINITY);
            for (int i = 0; i < Math.min(round / 3, n); i++) {
                values[5 + random.nextInt(n)] = ODD[random.nextInt(ODD.length)];
            }
            float[] expected = filled(most + 4);
            float[] actual = filled(most + 4);
            assertEquals(most, scalar.maxima(values, 5, n, expected));
            assertEquals(most, machine.maxima(values, 5, n, actual));
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i] + 0f, actual[i] + 0f, "round=%d, i=%d".formatted(round, i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 1000, 4097, 16384, 16385, 40_000})
    void shouldFindWhatReachesAThreshold(int n) {
        SplittableRandom random = new SplittableRandom(SEED + 4);
        float[] values = row(n + 9, 5, random);
        Arrays.fill(values, 0, 5, Float.POSITIVE_INFINITY); // not in the row
        Arrays.fill(values, 5 + n, n + 9, Float.POSITIVE_INFINITY);
        for (int i = 0; i < Math.min(n, ODD.length); i++) {
            values[5 + random.nextInt(n)] = ODD[i];
        }
        for (float least : new float[] {Float.NEGATIVE_INFINITY, -1f, 0f, -0f, 5f, 15f, values[n / 2 + 5], Float.MAX_VALUE,
            Float.POSITIVE_INFINITY, Float.NaN}) {
            int[] expected = new int[n + 3];
            int[] actual = new int[n + 3];
            assertEquals(scalar.atLeast(values, 5, n, least, expected), machine.atLeast(values, 5, n, least, actual));
            assertArrayEquals(expected, actual, "least=" + least);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000, 4097})
    void shouldGiveTheBitsOfStrictMath(int n) {
        SplittableRandom random = new SplittableRandom(SEED + 5);
        for (double divisor : new double[] {1, 0.7, 0.01, 1e-30, Double.MIN_VALUE, 1e300, Double.POSITIVE_INFINITY}) {
            for (boolean odd : new boolean[] {false, true}) {
                float[] values = row(n + 9, 3, random);
                Arrays.fill(values, 0, 5, Float.NaN); // not in the row
                for (int i = 0; i < Math.min(odd ? n : 0, ODD.length); i++) {
                    values[5 + random.nextInt(n)] = ODD[i];
                }
                float max = 1; // some are above
                double[] expected = new double[n + 3];
                Arrays.fill(expected, UNTOUCHED);
                double[] actual = expected.clone();
                scalar.exponentials(values, 5, n, max, divisor, expected);
                machine.exponentials(values, 5, n, max, divisor, actual);
                assertArrayEquals(bits(expected), bits(actual), "divisor=%s, odd=%b".formatted(divisor, odd));
            }
        }
    }

    /** Arguments of every size, those that are left to Java among them. */
    @Test
    void shouldGiveTheBitsOfStrictMathForAnyArgument() {
        SplittableRandom random = new SplittableRandom(SEED + 6);
        int n = 1 << 20;
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (-760 * random.nextDouble() * Math.scalb(1.0, -random.nextInt(40)));
        }
        double[] expected = new double[n];
        double[] actual = new double[n];
        for (double divisor : new double[] {1, Math.nextDown(1.0), 0.9}) {
            scalar.exponentials(values, 0, n, 0, divisor, expected);
            machine.exponentials(values, 0, n, 0, divisor, actual);
            assertArrayEquals(bits(expected), bits(actual), "divisor=" + divisor);
        }
    }

    @Test
    void shouldRefuseWhatLiesOutside() {
        float[] row = new float[32];
        float[] longer = new float[33];
        Norm norm = Norm.rms(0f, row);
        assertThrows(IndexOutOfBoundsException.class, () -> machine.normalise(norm, row, 1, longer, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.normalise(norm, longer, -1, longer, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.normalise(norm, row, 0, longer, 2));
        for (ActivationFunction f : ActivationFunction.values()) {
            assertThrows(IndexOutOfBoundsException.class, () -> machine.gate(f, row, longer, longer, 0, 33));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.gate(f, longer, row, longer, 0, 33));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.gate(f, longer, longer, row, 1, 33));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.activate(f, row, longer, 0, 33));
            assertThrows(IndexOutOfBoundsException.class, () -> machine.activate(f, longer, row, 0, 33));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> machine.softcap(row, 1, 33, 1f));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.maxima(row, 1, 32, longer));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.maxima(row, 0, 32, new float[15]));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.atLeast(new float[64], 1, 64, 0f, new int[64]));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.exponentials(row, 1, 32, 0, 1, new double[32]));
        assertThrows(IndexOutOfBoundsException.class, () -> machine.exponentials(row, 0, 32, 0, 1, new double[31]));
    }

    private static float[] row(int n, float size, SplittableRandom random) {
        float[] out = new float[n];
        for (int i = 0; i < n; i++) {
            out[i] = random.nextInt(9) == 0 ? (random.nextBoolean() ? 0f : -0f) : (float) random.nextGaussian() * size;
        }
        return out;
    }

    private static float[] filled(int n) {
        float[] out = new float[n];
        Arrays.fill(out, UNTOUCHED);
        return out;
    }

    /** All NaN are one. */
    private static int[] bits(float[] values) {
        int[] out = new int[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = Float.floatToIntBits(values[i]);
        }
        return out;
    }

    private static long[] bits(double[] values) {
        return Arrays.stream(values).mapToLong(Double::doubleToLongBits).toArray();
    }
}

package dev.tidestream.model.kernels;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.Norm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What stands between matrices: norms, activation functions and caps. Against the oracle, bits; the oracle against double arithmetic. */
class ElementwiseKernelsTest {
    private static final long SEED = 20261130;

    private final Kernels scalar = KernelSelection.scalar();

    static Stream<Kernels> fast() {
        return Stream.of(KernelSelection.vector(), KernelSelection.fastest());
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldNormaliseToTheOraclesBits(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int n : new int[] {1, 8, 15, 16, 17, 64, 96, 100, 256, 2048}) {
            for (Norm norm : norms(n, random)) {
                float[] x = floats(n + 3, random);
                float[] expected = new float[n + 5];
                float[] actual = new float[n + 5];
                scalar.normalise(norm, x, 3, expected, 5);
                fast.normalise(norm, x, 3, actual, 5);
                assertArrayEquals(bits(expected), bits(actual), "seed=%d, n=%d, %s".formatted(SEED, n, norm));
                fast.normalise(norm, x, 3, x, 3);
                assertArrayEquals(bits(Arrays.copyOfRange(expected, 5, 5 + n)), bits(Arrays.copyOfRange(x, 3, 3 + n)), "in place");
            }
        }
    }

    private static List<Norm> norms(int n, SplittableRandom random) {
        return List.of(Norm.rms(1e-5f, floats(n, random)), new Norm(false, 1e-6f, n, floats(2 * n, random)),
                Norm.layer(1e-5f, floats(n, random), new float[0]), Norm.layer(1e-5f, floats(n, random), floats(n, random)));
    }

    @Test
    void shouldNormaliseAsInDouble() {
        SplittableRandom random = new SplittableRandom(SEED + 1);
        int n = 300;
        for (Norm norm : norms(n, random)) {
            float[] x = floats(n, random);
            double mean = norm.centred() ? Arrays.stream(doubles(x)).average().orElseThrow() : 0;
            double square = Arrays.stream(doubles(x)).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            float[] out = new float[n];
            scalar.normalise(norm, x, 0, out, 0);
            for (int i = 0; i < n; i++) {
                double bias = norm.biased() ? norm.parameters()[n + i] : 0;
                assertEquals((x[i] - mean) / Math.sqrt(square + norm.eps()) * norm.parameters()[i] + bias, out[i], 1e-5, norm.toString());
            }
        }
    }

    @Test
    void shouldRefuseParametersThatDoNotFit() {
        assertThrows(IllegalArgumentException.class, () -> new Norm(true, 1e-5f, 4, new float[7]));
        assertThrows(IllegalArgumentException.class, () -> Norm.layer(1e-5f, new float[4], new float[3]));
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldActivateToTheOraclesBits(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        float[] gate = floats(200, random);
        float[] odd = {1000f, -1000f, -0f, 0f, 88.5f, -88.5f, Float.MIN_VALUE, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY,
            -Float.MAX_VALUE, 1e20f, -1e20f};
        System.arraycopy(odd, 0, gate, 0, odd.length);
        float[] up = floats(200, random);
        for (ActivationFunction function : ActivationFunction.values()) {
            for (int to : new int[] {1, 13, 16, 33, 200}) {
                float[] expected = new float[200];
                float[] actual = new float[200];
                scalar.gate(function, gate, up, expected, 0, to);
                fast.gate(function, gate, up, actual, 0, to);
                assertArrayEquals(bits(expected), bits(actual), "%s, to=%d".formatted(function, to));
                float[] inPlace = gate.clone();
                fast.gate(function, inPlace, up, inPlace, 0, to);
                assertArrayEquals(bits(Arrays.copyOf(expected, to)), bits(Arrays.copyOf(inPlace, to)), "in place: %s".formatted(function));
                scalar.activate(function, gate, expected, 0, to);
                fast.activate(function, gate, actual, 0, to);
                assertArrayEquals(bits(expected), bits(actual), "alone: %s, to=%d".formatted(function, to));
            }
        }
    }

    /** What PyTorch calls silu, gelu with tanh, and relu squared. */
    @ParameterizedTest
    @EnumSource(ActivationFunction.class)
    void shouldBeWhatItsNameSays(ActivationFunction function) {
        for (float x = -20f; x < 20f; x += 0.0137f) {
            double exact = switch (function) {
                case SILU -> x / (1 + Math.exp(-x));
                case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * Math.pow(x, 3))));
                case RELU_SQUARED -> x < 0 ? 0 : (double) x * x;
            };
            float[] out = {x};
            scalar.activate(function, out, out, 0, 1);
            assertEquals(exact, out[0], 1e-6 * Math.max(1, Math.abs(exact)), "x=" + x);
            float[] gated = {x};
            scalar.gate(function, gated, new float[] {-2f}, gated, 0, 1);
            assertEquals(-2f * out[0], gated[0], "x=" + x);
        }
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldCapToTheOraclesBits(Kernels fast) {
        SplittableRandom random = new SplittableRandom(SEED + 3);
        for (float cap : new float[] {0.5f, 30f, 50f}) {
            for (int to : new int[] {3, 16, 33, 200}) {
                float[] expected = floats(200, random);
                expected[3] = Float.NaN;
                expected[4] = Float.POSITIVE_INFINITY;
                expected[5] = Float.NEGATIVE_INFINITY;
                expected[6] = -0f;
                float[] actual = expected.clone();
                scalar.softcap(expected, 2, to, cap);
                fast.softcap(actual, 2, to, cap);
                assertArrayEquals(bits(expected), bits(actual), "cap=%s, to=%d".formatted(cap, to));
            }
        }
    }

    @Test
    void shouldCapAsTanhDoes() {
        for (float cap : new float[] {30f, 50f}) {
            for (float x = -400f; x < 400f; x += 0.0917f) {
                float[] out = {x};
                scalar.softcap(out, 0, 1, cap);
                assertEquals(cap * Math.tanh(x / cap), out[0], 1e-5, "x=%s, cap=%s".formatted(x, cap));
                assertTrue(Math.abs(out[0]) <= cap);
            }
        }
        float[] zero = {0f};
        scalar.softcap(zero, 0, 1, 50f);
        assertEquals(0f, zero[0]);
    }

    private static double[] doubles(float[] values) {
        double[] out = new double[values.length];
        Arrays.setAll(out, i -> values[i]);
        return out;
    }

    private static float[] floats(int n, SplittableRandom random) {
        float[] out = new float[n];
        for (int i = 0; i < n; i++) {
            out[i] = (float) random.nextGaussian() * 5;
        }
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
}

package dev.tidestream.model.tensor;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.kernels.KernelSelection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** int8 quants against their definition, one value at a time, whichever kernels made them. */
class ActivationsTest {
    private static final long SEED = 20261124;
    private static final int COLUMNS = 96;

    static Stream<Kernels> kernels() {
        return Stream.of(KernelSelection.scalar(), KernelSelection.vector(), KernelSelection.fastest()).distinct();
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldRoundToTheNearestQuant(Kernels kernels) {
        for (int rows : new int[] {1, 2, 3, 4, 5, 8, 11}) {
            Activations x = filled(11, rows, new SplittableRandom(SEED));
            x.quantise(kernels, WorkerTeam.sequential());
            assertQuants(x, kernels);
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldGiveARowTheSameQuantsAloneAndAmongOthers(Kernels kernels) {
        Activations many = filled(9, 9, new SplittableRandom(SEED + 1));
        many.quantise(kernels, WorkerTeam.sequential());
        for (int b = 0; b < 9; b++) {
            Activations alone = new Activations(1, COLUMNS);
            alone.reset(1);
            System.arraycopy(many.values(), b * COLUMNS, alone.values(), 0, COLUMNS);
            alone.quantise(kernels, WorkerTeam.sequential());
            for (int k = 0; k < COLUMNS; k++) {
                assertEquals(kernels.encoding(many).quant(b, k), kernels.encoding(alone).quant(0, k),
                        "seed=%d, b=%d, k=%d".formatted(SEED + 1, b, k));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldMakeZeroOfWhatHasNoQuant(Kernels kernels) {
        Activations x = new Activations(2, COLUMNS);
        x.reset(2);
        Arrays.fill(x.values(), 0, 32, Float.MIN_VALUE);
        x.values()[40] = Float.NaN;
        x.values()[41] = 1f;
        x.values()[70] = Float.POSITIVE_INFINITY;
        x.values()[71] = -1f;
        x.quantise(kernels, WorkerTeam.sequential());
        ActivationEncoding encoding = kernels.encoding(x);
        for (int k = 0; k < 2 * COLUMNS; k++) {
            assertEquals(0, encoding.quant(k / COLUMNS, k % COLUMNS), "k=" + k);
        }
        assertEquals(Float.MIN_VALUE / 127f, encoding.scale(0, 0));
        assertEquals(Float.NaN, encoding.scale(0, 1));
        assertEquals(Float.POSITIVE_INFINITY, encoding.scale(0, 2));
        assertEquals(0f, encoding.scale(1, 0));
    }

    /** 127 / m overflows below 127 / 2^128, where some numbers are still normal. */
    @ParameterizedTest
    @MethodSource("kernels")
    void shouldMakeZeroOfWhatIsTooSmall(Kernels kernels) {
        float limit = 127f * 0x1p-128f;
        for (float largest : new float[] {Math.nextDown(limit), limit, Math.nextUp(limit), Float.MIN_NORMAL}) {
            Activations x = new Activations(1, 32);
            x.reset(1);
            x.values()[3] = largest;
            x.values()[4] = -largest / 2;
            x.quantise(kernels, WorkerTeam.sequential());
            boolean fits = Float.isFinite(127f / largest);
            assertEquals(fits ? 127 : 0, kernels.encoding(x).quant(0, 3), "largest=" + largest);
            double half = fits ? Math.rint(-largest / 2 * (127f / largest)) : 0;
            assertEquals(half, kernels.encoding(x).quant(0, 4), "largest=" + largest);
            assertEquals(largest / 127f, kernels.encoding(x).scale(0, 0));
        }
    }

    /** The rule of BitNet. */
    @ParameterizedTest
    @MethodSource("kernels")
    void shouldScaleWholeRows(Kernels kernels) {
        for (int rows : new int[] {1, 2, 5, 9}) {
            Activations x = filled(9, rows, new SplittableRandom(SEED + 4));
            x.quantise(kernels, WorkerTeam.sequential(), ActivationScaling.ROW);
            assertRows(x, kernels);
            kernels().forEach(other -> assertRows(x, other));
            x.quantise(kernels, WorkerTeam.sequential());
            assertQuants(x, kernels); // by blocks again
        }
    }

    private static void assertRows(Activations x, Kernels kernels) {
        ActivationEncoding encoding = kernels.encoding(x);
        for (int b = 0; b < x.rows(); b++) {
            float max = 1e-5f;
            for (int k = 0; k < COLUMNS; k++) {
                max = Math.max(max, Math.abs(x.values()[b * COLUMNS + k]));
            }
            for (int k = 0; k < COLUMNS; k++) {
                String at = "%s, seed=%d, rows=%d, b=%d, k=%d".formatted(kernels.title(), SEED + 4, x.rows(), b, k);
                assertEquals((int) Math.rint(x.values()[b * COLUMNS + k] * (127f / max)), encoding.quant(b, k), at);
                assertEquals(max / 127f, encoding.scale(b, k / 32), at);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void shouldMakeSmallCodesOfSmallRowsAndZeroOfWhatIsNoNumber(Kernels kernels) {
        Activations x = new Activations(3, COLUMNS);
        x.reset(3);
        x.values()[5] = 5e-6f;
        x.values()[COLUMNS + 40] = Float.NaN;
        x.values()[COLUMNS + 70] = 1f;
        x.values()[2 * COLUMNS + 40] = Float.NEGATIVE_INFINITY;
        x.values()[2 * COLUMNS + 70] = 1f;
        x.quantise(kernels, WorkerTeam.sequential(), ActivationScaling.ROW);
        ActivationEncoding encoding = kernels.encoding(x);
        assertEquals(64, encoding.quant(0, 5)); // of 63.5, the even one
        assertEquals(1e-5f / 127f, encoding.scale(0, 2));
        for (int k = 0; k < COLUMNS; k++) {
            assertEquals(0, encoding.quant(1, k), "k=" + k);
            assertEquals(0, encoding.quant(2, k), "k=" + k);
        }
        assertEquals(Float.NaN, encoding.scale(1, 0));
        assertEquals(Float.POSITIVE_INFINITY, encoding.scale(2, 0));
    }

    @Test
    void shouldRefuseToQuantisePartsOfABlock() {
        Activations x = new Activations(2, 40);
        x.reset(2);
        var e = assertThrows(IllegalStateException.class, () -> x.quantise(KernelSelection.scalar(), WorkerTeam.sequential()));
        assertEquals("columns=40 is no multiple of 32", e.getMessage());
    }

    /** Kernels that ask later get theirs then; from then on theirs are made with the others. */
    @Test
    void shouldMakeAllEncodingsAnew() {
        SplittableRandom random = new SplittableRandom(SEED + 2);
        Activations x = new Activations(11, COLUMNS);
        for (int rows : new int[] {5, 1, 11, 2}) {
            x.reset(rows);
            for (int time = 0; time < 2; time++) { // the second without a reset
                for (int i = 0; i < rows * COLUMNS; i++) {
                    x.values()[i] = (float) random.nextGaussian();
                }
                x.quantise(KernelSelection.fastest(), WorkerTeam.sequential());
                kernels().forEach(kernels -> assertQuants(x, kernels));
            }
        }
    }

    @Test
    void shouldMakeOneEncodingWhoeverAsksFirst() throws Exception {
        Kernels vector = KernelSelection.vector();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int time = 0; time < 50; time++) {
                Activations x = filled(9, 9, new SplittableRandom(SEED + 3));
                x.quantise(KernelSelection.scalar(), WorkerTeam.sequential());
                List<Callable<ActivationEncoding>> asks = Collections.nCopies(4, () -> {
                    assertQuants(x, vector);
                    return vector.encoding(x);
                });
                for (Future<ActivationEncoding> answer : threads.invokeAll(asks)) {
                    assertSame(vector.encoding(x), answer.get());
                    assertNotSame(KernelSelection.scalar().encoding(x), answer.get());
                }
            }
        }
    }

    private static Activations filled(int maxRows, int rows, SplittableRandom random) {
        Activations x = new Activations(maxRows, COLUMNS);
        x.reset(rows);
        for (int i = 0; i < rows * COLUMNS; i++) {
            x.values()[i] = (float) (random.nextGaussian() * Math.scalb(1.0, random.nextInt(-20, 20)));
        }
        for (int j = 0; j < 32; j++) { // quants that end in .5
            x.values()[j] = j == 0 ? 127f : j - 16.5f;
        }
        return x;
    }

    private static void assertQuants(Activations x, Kernels kernels) {
        ActivationEncoding encoding = kernels.encoding(x);
        for (int b = 0; b < x.rows(); b++) {
            for (int block = 0; block < COLUMNS / 32; block++) {
                String at = "%s, seed=%d, rows=%d, b=%d, block=%d".formatted(kernels.title(), SEED, x.rows(), b, block);
                int from = b * COLUMNS + block * 32;
                float max = 0f;
                for (int j = 0; j < 32; j++) {
                    max = Math.max(max, Math.abs(x.values()[from + j]));
                }
                for (int j = 0; j < 32; j++) {
                    assertEquals((int) Math.rint(x.values()[from + j] * (127f / max)), encoding.quant(b, block * 32 + j), at);
                }
                assertEquals(max / 127f, encoding.scale(b, block), at);
            }
        }
    }
}

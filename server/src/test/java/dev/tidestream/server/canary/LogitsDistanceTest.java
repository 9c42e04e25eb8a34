package dev.tidestream.server.canary;

import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class LogitsDistanceTest {
    private static final Kernels KERNELS = KernelSelection.fastest();

    private static float[] random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * 4;
        }
        return values;
    }

    /** Logarithm of the softmax, by the definition. */
    private static double[] logSoftmax(float[] logits, int from, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(logits[from + i]);
        }
        double[] all = new double[count];
        for (int i = 0; i < count; i++) {
            all[i] = logits[from + i] - Math.log(sum);
        }
        return all;
    }

    @Test
    void shouldBeTheDefinition() {
        for (int count : new int[] {1, 5, 1023, 1024, 1025, 4096}) {
            float[] live = random(count + 3, count);
            float[] other = random(count + 7, 2L * count);
            double[] p = logSoftmax(live, 3, count);
            double[] q = logSoftmax(other, 7, count);
            double kl = 0;
            double maxDelta = 0;
            for (int i = 0; i < count; i++) {
                kl += Math.exp(p[i]) * (p[i] - q[i]);
                maxDelta = Math.max(maxDelta, Math.abs((double) live[3 + i] - other[7 + i]));
            }
            LogitsDistance distance = LogitsDistance.of(KERNELS, live, 3, other, 7, count);
            assertTrue(distance.finite());
            assertEquals(kl, distance.kl(), 1e-9, "count=" + count);
            assertEquals(maxDelta, distance.maxDelta());
            assertEquals(p[count - 1], LogitsDistance.logprob(KERNELS, live, 3, count, count - 1), 1e-9);
        }
    }

    @Test
    void shouldBeNothingForTheSameRow() {
        float[] row = random(1000, 3);
        LogitsDistance distance = LogitsDistance.of(KERNELS, row, 0, row.clone(), 0, 1000);
        assertEquals(0, distance.kl(), 1e-12);
        assertEquals(0, distance.maxDelta());
        assertTrue(distance.sameToken());
    }

    @Test
    void shouldNameTheFirstOfTheLikeliest() {
        LogitsDistance distance = LogitsDistance.of(KERNELS, new float[] {1, 3, 3, 0}, 0, new float[] {5, 1, 1, 5}, 0, 4);
        assertEquals(1, distance.liveToken());
        assertEquals(0, distance.otherToken());
        assertFalse(distance.sameToken());
    }

    @Test
    void shouldSayWhatIsNotFinite() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertFalse(LogitsDistance.of(KERNELS, new float[] {1, 2}, 0, new float[] {1, bad}, 0, 2).finite());
        }
    }
}

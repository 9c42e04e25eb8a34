package dev.tidestream.model.kernels.scalar;

import java.util.Arrays;

import dev.tidestream.model.tensor.Kernels;

/** The row kernels of {@link Kernels} as they are specified. */
public final class ScalarRows {
    private ScalarRows() {}

    static int maxima(float[] values, int from, int count, float[] out) {
        int found = Math.ceilDiv(count, Kernels.MAXIMA_TILE) * Kernels.PARTIALS;
        Arrays.fill(out, 0, found, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < count; i++) {
            int place = i / Kernels.MAXIMA_TILE * Kernels.PARTIALS + i % Kernels.PARTIALS;
            out[place] = Math.max(out[place], values[from + i]);
        }
        return found;
    }

    public static int atLeast(float[] values, int from, int firstId, int endId, float least, int[] ids, int found) {
        int next = found;
        for (int id = firstId; id < endId; id++) {
            if (values[from + id] >= least) {
                ids[next++] = id;
            }
        }
        return next;
    }

    public static void exponentials(float[] values, int from, int count, double max, double divisor, double[] out, int to) {
        for (int i = 0; i < count; i++) {
            out[to + i] = StrictMath.exp((values[from + i] - max) / divisor);
        }
    }
}

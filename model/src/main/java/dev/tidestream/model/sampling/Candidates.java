package dev.tidestream.model.sampling;

import java.util.Arrays;

/**
 * The most likely tokens of a row, in order, without sorting the row.
 *
 * <p>A candidate is a long whose natural order is ours: a higher logit first, then the lower id. Its upper half is the logit's
 * bits made monotonous and inverted, its lower half the id. So one comparison of primitives orders, ties are settled by
 * construction, and {@code Arrays.sort} works on them.
 *
 * <p>The k most likely are found with a threshold: of the row's maxima (one for 64 tokens), the k-th largest is reached by k tokens
 * at least, so whatever is below is not among them. What reaches it, little more than k tokens as a rule, is ordered.
 */
final class Candidates {
    /** Beyond this, sorting all is faster than a heap. */
    private static final int MOST_IN_HEAP = 4096;

    private Candidates() {}

    static long key(float logit, int id) {
        int bits = Float.floatToRawIntBits(logit + 0f); // -0 and 0 are equal
        int ascending = bits ^ ((bits >> 31) & 0x7fff_ffff);
        return ((long) ~ascending << 32) | id;
    }

    static int id(long key) {
        return (int) key;
    }

    /**
     * The {@code k} most likely of a row; puts them, in order, into the scratch's keys.
     *
     * @param values holds the row {@code (vocabulary)}, without NaN
     * @param from where the row begins
     * @param k at least 1
     * @return how many: {@code min(k, vocabulary)}
     */
    static int top(SamplerScratch scratch, float[] values, int from, int k) {
        long[] keys = scratch.keys();
        int found = above(scratch, values, from, reachedByAtLeast(scratch, values, from, k));
        int kept = Math.min(k, found);
        if (kept < found) {
            best(keys, found, kept);
        }
        Arrays.sort(keys, 0, kept);
        return kept;
    }

    /** A logit that {@code k} tokens reach, or more. */
    private static float reachedByAtLeast(SamplerScratch scratch, float[] values, int from, int k) {
        float[] maxima = scratch.maxima();
        int count = scratch.kernels().maxima(values, from, scratch.vocabularySize(), maxima);
        if (k > count || k > scratch.vocabularySize()) {
            return Float.NEGATIVE_INFINITY;
        }
        long[] keys = scratch.maximaKeys();
        for (int i = 0; i < count; i++) {
            keys[i] = key(maxima[i], i);
        }
        if (k > MOST_IN_HEAP) {
            Arrays.sort(keys, 0, count);
            return maxima[id(keys[k - 1])];
        }
        best(keys, count, k);
        return maxima[id(keys[0])];
    }

    /** Moves the k best keys to the front; the worst of them comes first, unless k is too many for a heap: then all are sorted. */
    private static void best(long[] keys, int count, int k) {
        if (k > MOST_IN_HEAP) {
            Arrays.sort(keys, 0, count);
            return;
        }
        for (int parent = k / 2 - 1; parent >= 0; parent--) {
            sink(keys, parent, k);
        }
        for (int i = k; i < count; i++) {
            if (keys[i] < keys[0]) {
                keys[0] = keys[i];
                sink(keys, 0, k);
            }
        }
    }

    private static void sink(long[] heap, int start, int size) {
        long value = heap[start];
        int at = start;
        for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= value) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }

    /** The tokens whose logit is at least this, in the order of their ids; puts them into the scratch's keys; how many. */
    static int above(SamplerScratch scratch, float[] values, int from, double least) {
        float threshold = (float) least;
        if (threshold < least) {
            threshold = Math.nextUp(threshold);
        }
        int[] ids = scratch.ids();
        long[] keys = scratch.keys();
        int found = scratch.kernels().atLeast(values, from, scratch.vocabularySize(), threshold, ids);
        for (int i = 0; i < found; i++) {
            keys[i] = key(values[from + ids[i]], ids[i]);
        }
        return found;
    }
}

package dev.tidestream.model.sampling;

import java.util.Arrays;

/**
 * The most likely tokens of a row, in order, without sorting the row.
 *
 * <p>A candidate is a long whose natural order is ours: a higher logit first, then the lower id. Its upper half is the logit's
 * bits made monotonous and inverted, its lower half the id. So one comparison of primitives orders, ties are settled by
 * construction, and {@code Arrays.sort} works on them.
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
     * The {@code k} most likely of a row.
     *
     * @param values holds the row {@code (count)}, without NaN
     * @param from where the row begins
     * @param keys receives the candidates in order; at least {@code count} long
     * @return how many: {@code min(k, count)}
     */
    static int top(float[] values, int from, int count, int k, long[] keys) {
        if (k >= count || k > MOST_IN_HEAP) {
            int all = above(values, from, count, Double.NEGATIVE_INFINITY, keys);
            Arrays.sort(keys, 0, all);
            return Math.min(k, all);
        }
        for (int id = 0; id < k; id++) {
            keys[id] = key(values[from + id], id);
        }
        for (int parent = k / 2 - 1; parent >= 0; parent--) {
            sink(keys, parent, k);
        }
        replaceWorst(values, from, count, k, keys);
        Arrays.sort(keys, 0, k);
        return k;
    }

    /** The worst candidate is at the root. Ids ascend, so a later token must be strictly better to come in. */
    private static void replaceWorst(float[] values, int from, int count, int k, long[] keys) {
        float worst = values[from + id(keys[0])];
        for (int id = k; id < count; id++) {
            if (values[from + id] > worst) {
                keys[0] = key(values[from + id], id);
                sink(keys, 0, k);
                worst = values[from + id(keys[0])];
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

    /** The tokens whose logit is at least this, in the order of their ids; how many. */
    static int above(float[] values, int from, int count, double least, long[] keys) {
        int found = 0;
        for (int id = 0; id < count; id++) {
            if (values[from + id] >= least) {
                keys[found++] = key(values[from + id], id);
            }
        }
        return found;
    }
}

package dev.tidestream.model.kernels.vector.attention;

import java.util.Arrays;

import dev.tidestream.model.kernels.scalar.ScalarAttention;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/**
 * {@link Kernels#attend} for a tile of queries: those of the first row, then those of the next. Keys and values are unpacked
 * once, to float32 in the first-level cache, and serve all queries. A position is seen by the last queries of the
 * tile, from some query on.
 *
 * <p>This class is the order of things and has no vectors; the arithmetic is in {@link VectorAttentionTiles}, in methods small
 * enough for C2 to keep every vector in a register.
 */
public final class VectorAttention {
    private static final int BLOCK = KvHead.BLOCK_POSITIONS;
    private static final int KEYS = VectorAttentionTiles.KEYS;
    private static final int SEGMENT = Kernels.SEGMENT;
    /** Queries that go through a tile together. */
    private static final int QUAD = 4;

    private VectorAttention() {}

    public static void attend(AttentionShape shape, KvHead head, float[] query, float[] out, int offset, int rows, int positions) {
        int group = shape.group();
        int queries = rows * group;
        int paddedDim = head.paddedDim();
        AttentionScratch scratch = AttentionScratch.ofThread(queries, paddedDim);
        for (int i = 0; i < queries; i++) {
            scratch.queryAt[i] = shape.queryAt(offset, i);
            scratch.visible[i] = positions + i / group;
        }
        int last = positions + rows - 1;
        for (int from = 0; from < last; from += SEGMENT) {
            int end = Math.min(last, from + SEGMENT);
            for (int t = from; t < end; t += KEYS) {
                unpackKeys(head, t, end, scratch.tile);
                scores(scratch, query, head.headDim(), shape.scale(), firstThatSees(t, positions) * group, queries, t - from);
            }
            int first = firstThatSees(from, positions) * group;
            softmax(scratch, first, queries, from);
            Arrays.fill(scratch.freshValues, first * paddedDim, queries * paddedDim, 0f);
            for (int t = from; t < end; t += BLOCK) {
                VectorAttentionTiles.unpack(head, t, head.valueOffset(), paddedDim, scratch.tile, BLOCK, 0);
                values(scratch, paddedDim, firstThatSees(t, positions) * group, queries, t, t - from);
            }
            join(scratch, paddedDim, first, queries, from == 0);
        }
        for (int i = 0; i < queries; i++) {
            VectorAttentionTiles.scale(
                    scratch.values, i * paddedDim, 1f / scratch.sum[i], out, scratch.queryAt[i], head.headDim());
        }
    }

    /** Two blocks of keys side by side; what lies beyond the last position is left as it is. */
    private static void unpackKeys(KvHead head, int t, int end, float[] tile) {
        for (int column = 0; column < KEYS && t + column < end; column += BLOCK) {
            VectorAttentionTiles.unpack(head, t + column, head.keyOffset(), head.headDim(), tile, KEYS, column);
        }
    }

    /** The first row that sees this position. */
    private static int firstThatSees(int position, int positions) {
        return Math.max(0, position + 1 - positions);
    }

    /** Scores of a tile of keys. Beyond what a query sees they are made of whatever is there, and not used. */
    private static void scores(
            AttentionScratch scratch, float[] query, int headDim, float scale, int first, int queries, int column) {
        int[] at = scratch.queryAt;
        for (int i = first; i < queries; i += QUAD) {
            int to = i * SEGMENT + column;
            if (queries - i == 1) {
                VectorAttentionTiles.scores1(scratch.tile, headDim, query, at[i], scale, scratch.weights, to);
            } else { // of two or three queries, the last is computed again in place of those that lack
                int second = i + 1;
                int third = Math.min(i + 2, queries - 1);
                int fourth = Math.min(i + 3, queries - 1);
                VectorAttentionTiles.scores4(scratch.tile, headDim, query, at[i], at[second], at[third], at[fourth],
                        scale, scratch.weights, to, to + SEGMENT, third * SEGMENT + column, fourth * SEGMENT + column);
            }
        }
    }

    private static void softmax(AttentionScratch scratch, int first, int queries, int from) {
        for (int i = first; i < queries; i++) {
            int count = Math.min(SEGMENT, scratch.visible[i] - from);
            float max = VectorAttentionTiles.max(scratch.weights, i * SEGMENT, count, scratch.partials);
            VectorAttentionTiles.exponentials(scratch.weights, i * SEGMENT, count, max, scratch.partials);
            scratch.freshMax[i] = max;
            scratch.freshSum[i] = ScalarAttention.sum(scratch.partials);
        }
    }

    /** Adds the weighted values of a block. */
    private static void values(AttentionScratch scratch, int paddedDim, int first, int queries, int t, int column) {
        for (int i = first; i < queries; i += QUAD) {
            int end = Math.min(i + QUAD, queries);
            int common = Math.min(BLOCK, scratch.visible[i] - t);
            int weights = i * SEGMENT + column;
            int sums = i * paddedDim;
            if (end - i == 1) {
                VectorAttentionTiles.values1(
                        scratch.tile, paddedDim, 0, common, scratch.weights, weights, scratch.freshValues, sums);
            } else {
                int third = Math.min(i + 2, end - 1);
                int fourth = Math.min(i + 3, end - 1);
                VectorAttentionTiles.values4(scratch.tile, paddedDim, common, scratch.weights,
                        weights, weights + SEGMENT, third * SEGMENT + column, fourth * SEGMENT + column,
                        scratch.freshValues, sums, sums + paddedDim, third * paddedDim, fourth * paddedDim);
            }
            for (int j = i + 1; j < end; j++) { // queries of a later row see more
                int more = Math.min(BLOCK, scratch.visible[j] - t);
                if (more > common) {
                    VectorAttentionTiles.values1(scratch.tile, paddedDim, common, more,
                            scratch.weights, j * SEGMENT + column, scratch.freshValues, j * paddedDim);
                }
            }
        }
    }

    private static void join(AttentionScratch scratch, int paddedDim, int first, int queries, boolean firstSegment) {
        if (firstSegment) {
            System.arraycopy(scratch.freshMax, 0, scratch.max, 0, queries);
            System.arraycopy(scratch.freshSum, 0, scratch.sum, 0, queries);
            System.arraycopy(scratch.freshValues, 0, scratch.values, 0, queries * paddedDim);
            return;
        }
        for (int i = first; i < queries; i++) {
            float max = Math.max(scratch.max[i], scratch.freshMax[i]);
            float old = FloatExp.exp(scratch.max[i] - max);
            float fresh = FloatExp.exp(scratch.freshMax[i] - max);
            VectorAttentionTiles.join(scratch.values, scratch.freshValues, i * paddedDim, paddedDim, old, fresh);
            scratch.sum[i] = Math.fma(scratch.freshSum[i], fresh, scratch.sum[i] * old);
            scratch.max[i] = max;
        }
    }
}

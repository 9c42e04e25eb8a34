package dev.tidestream.model.kernels.vector.attention;

import java.util.Arrays;

import dev.tidestream.model.kernels.scalar.ScalarAttention;
import dev.tidestream.model.kernels.vector.base.VectorExp;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;

/**
 * {@link Kernels#attend} for a tile of queries: those of the first row, then those of the next. Keys and values are unpacked
 * once, to float32 in the first-level cache, and serve all queries. A position is seen by consecutive queries of the tile: by all
 * from some query on, or with a window up to some query.
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

    public static void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions) {
        int group = shape.group();
        int queries = rows * group;
        int paddedDim = head.paddedDim();
        AttentionScratch scratch = AttentionScratch.ofThread(queries, paddedDim);
        for (int i = 0; i < queries; i++) {
            scratch.queryAt[i] = shape.queryAt(queryOffset, i);
            scratch.visible[i] = positions + i / group;
            scratch.firstSeen[i] = shape.firstSeen(scratch.visible[i]);
        }
        int last = positions + rows - 1;
        for (int from = scratch.firstSeen[0] / SEGMENT * SEGMENT; from < last; from += SEGMENT) {
            int end = Math.min(last, from + SEGMENT);
            int first = firstThatSees(from, positions) * group;
            int past = pastThoseThatSee(scratch, queries, end);
            int begin = Math.max(from, scratch.firstSeen[first]); // nobody sees what is before
            for (int t = begin - (begin - from) % KEYS; t < end; t += KEYS) {
                unpackKeys(head, t, end, scratch.tile);
                scores(shape, scratch, query, firstThatSees(t, positions) * group, past, t - from);
            }
            softmax(shape, scratch, first, past, from);
            Arrays.fill(scratch.freshValues, first * paddedDim, past * paddedDim, 0f);
            for (int t = begin / BLOCK * BLOCK; t < end; t += BLOCK) {
                VectorAttentionTiles.unpack(head, t, head.valueOffset(), paddedDim, scratch.tile, BLOCK, 0);
                values(scratch, paddedDim, firstThatSees(t, positions) * group, past, t, t - from);
            }
            join(scratch, paddedDim, first, past, from);
        }
        for (int i = 0; i < queries; i++) {
            VectorAttentionTiles.scale(
                    scratch.values, i * paddedDim, 1f / scratch.sum[i], out, shape.outputAt(outOffset, i), head.headDim());
        }
    }

    /** Two blocks of keys side by side; what lies beyond the last position is left as it is. */
    private static void unpackKeys(KvHead head, int t, int end, float[] tile) {
        for (int column = 0; column < KEYS && t + column < end; column += BLOCK) {
            VectorAttentionTiles.unpack(head, t + column, head.keyOffset(), head.headDim(), tile, KEYS, column);
        }
    }

    /** The first row that sees this position, or would without a window. */
    private static int firstThatSees(int position, int positions) {
        return Math.max(0, position + 1 - positions);
    }

    /** The number of queries whose window begins before this position: those are the first ones. */
    private static int pastThoseThatSee(AttentionScratch scratch, int queries, int position) {
        int past = queries;
        while (scratch.firstSeen[past - 1] >= position) {
            past--;
        }
        return past;
    }

    /** Scores of a tile of keys. Beyond what a query sees they are made of whatever is there, and not used. */
    private static void scores(AttentionShape shape, AttentionScratch scratch, float[] query, int first, int past, int column) {
        int[] at = scratch.queryAt;
        int headDim = shape.headDim();
        for (int i = first; i < past; i += QUAD) {
            int to = i * SEGMENT + column;
            if (past - i == 1) {
                VectorAttentionTiles.scores1(scratch.tile, headDim, query, at[i], shape.scale(), scratch.weights, to);
            } else { // of two or three queries, the last is computed again in place of those that lack
                int second = i + 1;
                int third = Math.min(i + 2, past - 1);
                int fourth = Math.min(i + 3, past - 1);
                VectorAttentionTiles.scores4(scratch.tile, headDim, query, at[i], at[second], at[third], at[fourth],
                        shape.scale(), scratch.weights, to, to + SEGMENT, third * SEGMENT + column, fourth * SEGMENT + column);
            }
        }
    }

    private static void softmax(AttentionShape shape, AttentionScratch scratch, int first, int past, int from) {
        for (int i = first; i < past; i++) {
            int at = i * SEGMENT;
            int start = Math.max(0, scratch.firstSeen[i] - from);
            int count = Math.min(SEGMENT, scratch.visible[i] - from);
            if (shape.softcap() != 0) {
                VectorExp.softcap(scratch.weights, at + start, at + count, shape.softcap());
            }
            float max = VectorAttentionTiles.max(scratch.weights, at + start, count - start, scratch.partials);
            VectorAttentionTiles.exponentials(scratch.weights, at, start, count, max, scratch.partials);
            scratch.freshMax[i] = max;
            scratch.freshSum[i] = ScalarAttention.sum(scratch.partials);
        }
    }

    /** Adds the weighted values of a block. */
    private static void values(AttentionScratch scratch, int paddedDim, int first, int past, int t, int column) {
        for (int i = first; i < past; i += QUAD) {
            int end = Math.min(i + QUAD, past);
            if (scratch.firstSeen[end - 1] > t) {
                for (int j = i; j < end; j++) { // each begins elsewhere
                    valuesOfOne(scratch, paddedDim, j, t, column, scratch.firstSeen[j] - t);
                }
                continue;
            }
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
                valuesOfOne(scratch, paddedDim, j, t, column, common);
            }
        }
    }

    /** From a slot of the block on, to the last that the query sees. */
    private static void valuesOfOne(AttentionScratch scratch, int paddedDim, int query, int t, int column, int fromSlot) {
        int from = Math.max(0, fromSlot);
        int to = Math.min(BLOCK, scratch.visible[query] - t);
        if (from < to) {
            VectorAttentionTiles.values1(scratch.tile, paddedDim, from, to,
                    scratch.weights, query * SEGMENT + column, scratch.freshValues, query * paddedDim);
        }
    }

    private static void join(AttentionScratch scratch, int paddedDim, int first, int past, int from) {
        for (int i = first; i < past; i++) {
            if (scratch.firstSeen[i] >= from) { // its first segment
                scratch.max[i] = scratch.freshMax[i];
                scratch.sum[i] = scratch.freshSum[i];
                System.arraycopy(scratch.freshValues, i * paddedDim, scratch.values, i * paddedDim, paddedDim);
                continue;
            }
            float max = Math.max(scratch.max[i], scratch.freshMax[i]);
            float old = FloatExp.exp(scratch.max[i] - max);
            float fresh = FloatExp.exp(scratch.freshMax[i] - max);
            VectorAttentionTiles.join(scratch.values, scratch.freshValues, i * paddedDim, paddedDim, old, fresh);
            scratch.sum[i] = Math.fma(scratch.freshSum[i], fresh, scratch.sum[i] * old);
            scratch.max[i] = max;
        }
    }
}

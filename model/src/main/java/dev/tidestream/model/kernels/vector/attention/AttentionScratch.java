package dev.tidestream.model.kernels.vector.attention;

import dev.tidestream.model.tensor.Kernels;

/** What a thread needs to attend with a tile of queries: for 32 queries of 64 dimensions about 60 KB. */
final class AttentionScratch {
    private static final ThreadLocal<AttentionScratch> OF_THREAD = ThreadLocal.withInitial(AttentionScratch::new);

    /** Keys (headDim, 64) of two blocks or values (32, paddedDim) of one. */
    float[] tile = {};
    /** Where each query begins: (queries). */
    int[] queryAt = {};
    /** Where what each query sees ends: (queries) positions. */
    int[] visible = {};
    /** Where it begins: (queries) positions. */
    int[] firstSeen = {};
    /** Scores, then weights, of a segment: (queries, SEGMENT). */
    float[] weights = {};
    /** The largest score of the segment: (queries). */
    float[] freshMax = {};
    /** The sum of the segment's weights: (queries). */
    float[] freshSum = {};
    /** Weighted values of the segment: (queries, paddedDim). */
    float[] freshValues = {};
    /** The largest score of the segments so far: (queries). */
    float[] max = {};
    /** The sum of the weights of the segments so far: (queries). */
    float[] sum = {};
    /** Weighted values of the segments so far: (queries, paddedDim). */
    float[] values = {};
    /** Partial sums or maxima, (16). */
    final float[] partials = new float[Kernels.PARTIALS];

    static AttentionScratch ofThread(int queries, int paddedDim) {
        AttentionScratch scratch = OF_THREAD.get();
        if (scratch.max.length < queries || scratch.values.length < queries * paddedDim
                || scratch.tile.length < VectorAttentionTiles.KEYS * paddedDim) {
            scratch.grow(Math.max(queries, scratch.max.length), paddedDim);
        }
        return scratch;
    }

    private void grow(int queries, int paddedDim) {
        tile = new float[Math.max(tile.length, VectorAttentionTiles.KEYS * paddedDim)];
        queryAt = new int[queries];
        visible = new int[queries];
        firstSeen = new int[queries];
        weights = new float[queries * Kernels.SEGMENT];
        freshMax = new float[queries];
        freshSum = new float[queries];
        freshValues = new float[Math.max(values.length, queries * paddedDim)];
        max = new float[queries];
        sum = new float[queries];
        values = new float[freshValues.length];
    }
}

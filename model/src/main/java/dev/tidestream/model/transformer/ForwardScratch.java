package dev.tidestream.model.transformer;

import dev.tidestream.model.tensor.Activations;

/**
 * What a forward pass needs beside weights and caches. It holds nothing from one pass to the next, so all versions of a model may
 * share one, as long as one thread at a time computes: a version more costs no scratch more.
 */
public final class ForwardScratch {
    final int maxRows;
    final float[] residual; // (maxRows, H)
    final Activations normed; // (maxRows, H)
    final Activations attended; // (maxRows, heads * headDim)
    final Activations gated; // (maxRows, F)
    final float[] projected; // (maxRows, H)
    final float[] gate; // (maxRows, F)
    final float[] up; // (maxRows, F)
    final float[] query; // (maxRows, heads * headDim)
    final float[] key; // (maxRows, kvHeads * headDim)
    final float[] value; // (maxRows, kvHeads * headDim)
    final float[] turns; // (maxRows, ropeDim)
    final int[] positions; // (maxRows)
    final KvCache[] caches; // (maxRows)
    final int[] tileRows; // (maxRows): first row of each attention tile
    final int[] tileSizes; // (maxRows): its rows
    final boolean[] spoiled; // (maxRows): whether the row's key or value is not finite

    /** @param maxRows most rows of one pass; the size grows with it */
    public ForwardScratch(ModelConfig config, int maxRows) {
        if (maxRows < 1) {
            throw new IllegalArgumentException("maxRows must be at least 1: maxRows=" + maxRows);
        }
        this.maxRows = maxRows;
        this.residual = new float[maxRows * config.hiddenSize()];
        this.normed = new Activations(maxRows, config.hiddenSize());
        this.attended = new Activations(maxRows, config.queryDim());
        this.gated = new Activations(maxRows, config.feedForwardSize());
        this.projected = new float[maxRows * config.hiddenSize()];
        this.gate = new float[maxRows * config.feedForwardSize()];
        this.up = new float[maxRows * config.feedForwardSize()];
        this.query = new float[maxRows * config.queryDim()];
        this.key = new float[maxRows * config.kvDim()];
        this.value = new float[maxRows * config.kvDim()];
        this.turns = new float[maxRows * config.ropeDim()];
        this.positions = new int[maxRows];
        this.caches = new KvCache[maxRows];
        this.tileRows = new int[maxRows];
        this.tileSizes = new int[maxRows];
        this.spoiled = new boolean[maxRows];
    }
}

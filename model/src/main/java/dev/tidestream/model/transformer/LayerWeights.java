package dev.tidestream.model.transformer;

import dev.tidestream.model.tensor.MatrixGroup;

/**
 * The weights of one layer; matrices that share their input stand in one group. Immutable.
 *
 * @param attentionNorm (H)
 * @param queryKeyValue three matrices: (heads * headDim, H), (kvHeads * headDim, H), (kvHeads * headDim, H)
 * @param attentionOutput (H, heads * headDim)
 * @param feedForwardNorm (H)
 * @param gateUp two matrices: (F, H), (F, H)
 * @param down (H, F)
 */
public record LayerWeights(
        float[] attentionNorm,
        MatrixGroup queryKeyValue,
        MatrixGroup attentionOutput,
        float[] feedForwardNorm,
        MatrixGroup gateUp,
        MatrixGroup down) {

    /** Bytes of the matrices. */
    public long bytes() {
        return queryKeyValue.bytes() + attentionOutput.bytes() + gateUp.bytes() + down.bytes();
    }
}

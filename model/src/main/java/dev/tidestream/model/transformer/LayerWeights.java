package dev.tidestream.model.transformer;

import java.util.Optional;

import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.Norm;

/**
 * The weights of one layer; matrices that share their input stand in one group. Immutable.
 *
 * @param attentionNorm (H)
 * @param queryKeyValue from (H) to (heads * headDim) queries, (kvHeads * headDim) keys and as many values: three matrices or one
 * @param headNorms of queries and keys
 * @param attentionInnerNorm (heads * headDim)
 * @param attentionOutput (H, heads * headDim)
 * @param attentionAfterNorm (H)
 * @param feedForwardNorm (H)
 * @param gateUp two matrices, (F, H) and (F, H); or without a gate one
 * @param feedForwardInnerNorm (F)
 * @param down (H, F)
 * @param feedForwardAfterNorm (H)
 */
public record LayerWeights(
        Norm attentionNorm,
        MatrixGroup queryKeyValue,
        Optional<HeadNorms> headNorms,
        Optional<Norm> attentionInnerNorm,
        MatrixGroup attentionOutput,
        Optional<Norm> attentionAfterNorm,
        Norm feedForwardNorm,
        MatrixGroup gateUp,
        Optional<Norm> feedForwardInnerNorm,
        MatrixGroup down,
        Optional<Norm> feedForwardAfterNorm) {

    /**
     * Norms of single heads.
     *
     * @param query (headDim)
     * @param key (headDim)
     */
    public record HeadNorms(Norm query, Norm key) {}

    /** Bytes of the matrices. */
    public long bytes() {
        return queryKeyValue.bytes() + attentionOutput.bytes() + gateUp.bytes() + down.bytes();
    }
}

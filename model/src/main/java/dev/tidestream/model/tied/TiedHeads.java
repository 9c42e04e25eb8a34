package dev.tidestream.model.tied;

import dev.tidestream.model.nd4j.CachedTranspose;
import dev.tidestream.model.nd4j.DenseHead;
import dev.tidestream.model.nd4j.Nd4jException;
import dev.tidestream.model.nd4j.TransposePerStep;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/** Makes tied embeddings in any mode. The packed one never loads a class of ND4J. */
public final class TiedHeads {
    private TiedHeads() {}

    /**
     * Builds a layer; in a dense mode this copies the whole weight, split over the team by panels.
     *
     * @param weight {@code (V, H)}; must live longer than the layer
     * @param kernels of the packed mode
     * @param team fills the copy; may pause between ranges
     * @throws TiedWeightException.DimensionMismatch if the weight is not the one that was configured
     * @throws TiedWeightException.HeadModeUnavailable if there is no memory for the copy, it is too large, or ND4J cannot be loaded
     */
    public static EmbeddingLayer build(
            HeadMode mode, TiedWeightConfig config, PanelMatrix weight, Kernels kernels, WorkerTeam team) {
        EmbeddingLayer packed = new TiedEmbedding(config, weight, kernels); // checks the shape
        if (mode == HeadMode.PACKED) {
            return packed;
        }
        try {
            return new DenseTiedEmbedding(mode, config, weight, dense(mode, weight, team));
        } catch (Nd4jException e) {
            throw new TiedWeightException.HeadModeUnavailable(message(mode, e), e);
        }
    }

    private static DenseHead dense(HeadMode mode, PanelMatrix weight, WorkerTeam team) {
        return switch (mode) {
            case TRANSPOSE_PER_STEP -> TransposePerStep.of(weight, team);
            case CACHED_TRANSPOSE -> CachedTranspose.of(weight, team);
            case PACKED -> throw new IllegalArgumentException("packed has no dense layout");
        };
    }

    static String message(HeadMode mode, Nd4jException e) {
        return "head mode %s cannot be had: %s".formatted(mode.wireName(), e.getMessage());
    }
}

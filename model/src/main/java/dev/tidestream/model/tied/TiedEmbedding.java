package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * The embedding of a model that ties it to its output head (Press and Wolf 2017): lookup and logits from one panel copy.
 *
 * <p>A logit is the dot product of a hidden state with one row of the embedding. In panels, a SIMD lane is a row, so the copy
 * that logits stream through is at once the cached transpose; a lookup gathers H elements from it, which is nothing beside the
 * head. There is no second copy, and no moment at which the two ends could come from different weights.
 */
public final class TiedEmbedding implements EmbeddingLayer {
    private final PanelMatrix weight; // (V, H)
    private final MatrixGroup head;
    private final Kernels kernels;

    /** @throws TiedWeightException.DimensionMismatch if the matrix is not the one that was configured */
    public TiedEmbedding(TiedWeightConfig config, PanelMatrix weight, Kernels kernels) {
        if (weight.rows() != config.vocabularySize() || weight.columns() != config.hiddenSize()) {
            throw new TiedWeightException.DimensionMismatch("tied weight is [%d, %d], configured as [%d, %d]"
                    .formatted(weight.rows(), weight.columns(), config.vocabularySize(), config.hiddenSize()));
        }
        this.weight = weight;
        this.head = MatrixGroup.of(weight);
        this.kernels = kernels;
    }

    @Override
    public int vocabularySize() {
        return weight.rows();
    }

    @Override
    public int hiddenSize() {
        return weight.columns();
    }

    @Override
    public boolean tied() {
        return true;
    }

    @Override
    public long bytes() {
        return weight.bytes();
    }

    @Override
    public void lookup(int token, float[] hidden, int offset) {
        EmbeddingChecks.lookup(token, vocabularySize(), hidden, offset, hiddenSize());
        weight.copyRow(token, hidden, offset);
    }

    @Override
    public void logits(Activations hidden, float[] logits, WorkerTeam team) {
        EmbeddingChecks.logits(hidden, hiddenSize(), logits, vocabularySize());
        head.multiply(kernels, team, hidden, logits);
    }
}

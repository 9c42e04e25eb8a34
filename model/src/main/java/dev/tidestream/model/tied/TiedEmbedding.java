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
public final class TiedEmbedding extends TiedPanels {
    private final MatrixGroup head;
    private final Kernels kernels;

    /** @throws TiedWeightException.DimensionMismatch if the matrix is not the one that was configured */
    public TiedEmbedding(TiedWeightConfig config, PanelMatrix weight, Kernels kernels) {
        super(config, weight);
        this.head = MatrixGroup.of(weight);
        this.kernels = kernels;
    }

    @Override
    public HeadMode mode() {
        return HeadMode.PACKED;
    }

    @Override
    public long derivedBytes() {
        return 0;
    }

    @Override
    public long bytesRead(int rows) {
        return bytes();
    }

    @Override
    public TiedWeightStats stats() {
        return new TiedWeightStats(bytes(), 0, 0);
    }

    @Override
    public void logits(Activations hidden, float[] logits, WorkerTeam team) {
        EmbeddingChecks.logits(hidden, hiddenSize(), logits, vocabularySize());
        head.multiply(kernels, team, hidden, logits);
    }

    @Override
    public void close() {
        // Nothing is derived.
    }
}

package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

/** The embedding of a model with an output matrix of its own. */
public final class UntiedEmbedding implements EmbeddingLayer {
    private final PanelMatrix embedding; // (V, H)
    private final PanelMatrix output; // (V, H)
    private final MatrixGroup head;
    private final Kernels kernels;

    /** @throws TiedWeightException.DimensionMismatch if the two have different shapes */
    public UntiedEmbedding(PanelMatrix embedding, PanelMatrix output, Kernels kernels) {
        if (embedding.rows() != output.rows() || embedding.columns() != output.columns()) {
            throw new TiedWeightException.DimensionMismatch("embedding is [%d, %d], output is [%d, %d]"
                    .formatted(embedding.rows(), embedding.columns(), output.rows(), output.columns()));
        }
        this.embedding = embedding;
        this.output = output;
        this.head = MatrixGroup.of(output);
        this.kernels = kernels;
    }

    @Override
    public int vocabularySize() {
        return output.rows();
    }

    @Override
    public int hiddenSize() {
        return output.columns();
    }

    @Override
    public boolean tied() {
        return false;
    }

    @Override
    public HeadMode mode() {
        return HeadMode.PACKED;
    }

    @Override
    public boolean quantised() {
        return output.format().quantised();
    }

    @Override
    public long derivedBytes() {
        return 0;
    }

    @Override
    public long bytesRead(int rows) {
        return output.bytes();
    }

    @Override
    public TiedWeightStats stats() {
        return new TiedWeightStats(bytes(), 0, 0);
    }

    @Override
    public long bytes() {
        return embedding.bytes() + output.bytes();
    }

    @Override
    public void lookup(int token, float[] hidden, int offset) {
        EmbeddingChecks.lookup(token, vocabularySize(), hidden, offset, hiddenSize());
        embedding.copyRow(token, hidden, offset);
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

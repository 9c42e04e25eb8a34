package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.PanelMatrix;

/** What tied embeddings have in common: the panels, which lookups gather from in every mode. */
abstract sealed class TiedPanels implements EmbeddingLayer permits TiedEmbedding, DenseTiedEmbedding {
    private final PanelMatrix weight; // (V, H)

    TiedPanels(TiedWeightConfig config, PanelMatrix weight) {
        if (weight.rows() != config.vocabularySize() || weight.columns() != config.hiddenSize()) {
            throw new TiedWeightException.DimensionMismatch("tied weight is [%d, %d], configured as [%d, %d]"
                    .formatted(weight.rows(), weight.columns(), config.vocabularySize(), config.hiddenSize()));
        }
        this.weight = weight;
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
    public boolean quantised() {
        return weight.format().quantised();
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
}

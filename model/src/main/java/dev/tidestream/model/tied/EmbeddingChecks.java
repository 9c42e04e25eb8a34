package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;

/** The shape checks that every embedding layer makes. */
final class EmbeddingChecks {
    private EmbeddingChecks() {}

    static void lookup(int token, int vocabularySize, float[] hidden, int offset, int hiddenSize) {
        if (token < 0 || token >= vocabularySize) {
            throw new TiedWeightException.DimensionMismatch(
                    "no such token: token=%d, vocabulary=%d".formatted(token, vocabularySize));
        }
        if (offset < 0 || offset > hidden.length - hiddenSize) {
            throw new TiedWeightException.DimensionMismatch("hidden state does not fit: offset=%d, length=%d, hidden=%d"
                    .formatted(offset, hidden.length, hiddenSize));
        }
    }

    static void logits(Activations hidden, int hiddenSize, float[] logits, int vocabularySize) {
        if (hidden.columns() != hiddenSize) {
            throw new TiedWeightException.DimensionMismatch(
                    "hidden states are [n, %d], the head takes [n, %d]".formatted(hidden.columns(), hiddenSize));
        }
        if (logits.length < (long) hidden.rows() * vocabularySize) {
            throw new TiedWeightException.InvalidLogitsShape("logits must hold [%d, %d]: length=%d"
                    .formatted(hidden.rows(), vocabularySize, logits.length));
        }
    }
}

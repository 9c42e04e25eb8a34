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

    static void lookup(
            int[] tokens, int from, int count, int vocabularySize, float[] hidden, int offset, int hiddenSize) {
        if (from < 0 || count < 0 || from > tokens.length - count) {
            throw new TiedWeightException.DimensionMismatch("not so many tokens: from=%d, count=%d, length=%d"
                    .formatted(from, count, tokens.length));
        }
        if (offset < 0 || offset + (long) count * hiddenSize > hidden.length) {
            throw new TiedWeightException.DimensionMismatch("hidden states do not fit: offset=%d, count=%d, length=%d, hidden=%d"
                    .formatted(offset, count, hidden.length, hiddenSize));
        }
        for (int i = 0; i < count; i++) {
            if (tokens[from + i] < 0 || tokens[from + i] >= vocabularySize) {
                throw new TiedWeightException.DimensionMismatch("no such token: tokens[%d]=%d, vocabulary=%d"
                        .formatted(from + i, tokens[from + i], vocabularySize));
            }
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

package dev.tidestream.model.architecture;

import java.util.Optional;

/**
 * Whether a model's output head is its embedding, and why.
 *
 * @param tied whether one matrix is both
 * @param storedTwice whether that matrix is stored twice; one copy is kept
 * @param reason in words, for people
 * @param warning what is remarkable about it, for people
 */
public record Tie(boolean tied, boolean storedTwice, String reason, Optional<String> warning) {

    /** What {@code tie_word_embeddings} of a model's configuration says, if its files have one: true or false. GGUF has no key for it. */
    public static final String KEY = "tidestream.tie_word_embeddings";

    /** Whole matrices of the vocabulary that are held. */
    public int copies() {
        return tied ? 1 : 2;
    }
}

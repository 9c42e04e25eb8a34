package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Both ends of a model: token ids to hidden states, hidden states to logits. Immutable; lookups by any thread, logits by one
 * caller at a time.
 */
public interface EmbeddingLayer extends AutoCloseable {
    default HeadMode mode() { return HeadMode.PACKED; }
    default long derivedBytes() { return 0; }
    default long bytesRead(int rows) { return bytes(); }
    @Override default void close() {}

    /** V. */
    int vocabularySize();

    /** H. */
    int hiddenSize();

    /** Whether one matrix serves both ends. */
    boolean tied();

    /** Bytes of weights held, off-heap. */
    long bytes();

    /**
     * Writes the embedding of a token.
     *
     * @param token {@code 0 <= token < V}
     * @param hidden receives {@code (H)} from {@code offset}
     * @throws TiedWeightException.DimensionMismatch if there is no such token
     */
    void lookup(int token, float[] hidden, int offset);

    /**
     * Computes logits with float activations, to float32 precision.
     *
     * @param hidden final hidden states {@code (n, H)}
     * @param logits receives {@code (n, V)} from offset 0
     * @throws TiedWeightException.DimensionMismatch if the hidden size is another
     * @throws TiedWeightException.InvalidLogitsShape if {@code logits} is too short
     */
    void logits(Activations hidden, float[] logits, WorkerTeam team);
}

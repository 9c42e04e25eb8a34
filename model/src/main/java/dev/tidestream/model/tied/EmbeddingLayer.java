package dev.tidestream.model.tied;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Both ends of a model: token ids to hidden states, hidden states to logits. Immutable. Any number of threads at once, for
 * lookups and for logits, each caller with a team of its own.
 *
 * <p>A row's logits have the same bits whenever the same layer computes them: alone or in a batch, with any team. Two layers of
 * the same weights in different modes agree, with float activations, within the bound of {@link HeadVerifier}.
 */
public interface EmbeddingLayer extends AutoCloseable {

    /** V. */
    int vocabularySize();

    /** H. */
    int hiddenSize();

    /** Whether one matrix serves both ends. */
    boolean tied();

    /** How logits are made; packed if the ends are not tied. */
    HeadMode mode();

    /** Whether the matrix that logits are made of is in a quantised format, so that a packed head can use int8 activations. */
    boolean quantised();

    /** Bytes of the model's own tensors that this layer reads, off-heap. They belong to somebody else. */
    long bytes();

    /** Bytes of layouts made from these tensors, off-heap; they belong to this layer. 0 when packed. */
    long derivedBytes();

    /** Bytes of weights that one call to {@link #logits} moves through memory, for all {@code rows} of a batch together. */
    long bytesRead(int rows);

    /** What this layer costs in memory. */
    TiedWeightStats stats();

    /**
     * Writes the embedding of a token; the same bits in every mode.
     *
     * @param token {@code 0 <= token < V}
     * @param hidden receives {@code (H)} from {@code offset}
     * @throws TiedWeightException.DimensionMismatch if there is no such token, or no room
     */
    void lookup(int token, float[] hidden, int offset);

    /**
     * Writes the embeddings of some tokens, one below the other.
     *
     * @param tokens {@code (count)} from {@code from}, each {@code 0 <= token < V}
     * @param hidden receives {@code (count, H)} from {@code offset}
     * @throws TiedWeightException.DimensionMismatch if a token does not exist, there are not so many, or there is no room; then
     *         nothing has been written
     */
    default void lookup(int[] tokens, int from, int count, float[] hidden, int offset) {
        EmbeddingChecks.lookup(tokens, from, count, vocabularySize(), hidden, offset, hiddenSize());
        for (int i = 0; i < count; i++) {
            lookup(tokens[from + i], hidden, offset + i * hiddenSize());
        }
    }

    /**
     * Computes logits. With the floats of {@code hidden} they are those of the dequantised matrix, to float32 precision. With its
     * int8 quants, which are taken if there are any ({@link Activations#quantised}), the head is packed and its format quantised,
     * they are those of {@link dev.tidestream.model.tensor.Kernels#multiply} with int8 activations, to the bit. Dense modes
     * always take the floats.
     *
     * @param hidden final hidden states {@code (n, H)}
     * @param logits receives {@code (n, V)} from offset 0
     * @throws TiedWeightException.DimensionMismatch if the hidden size is another
     * @throws TiedWeightException.InvalidLogitsShape if {@code logits} is too short
     * @throws TiedWeightException.HeadModeUnavailable if there is no memory for what a call takes
     */
    void logits(Activations hidden, float[] logits, WorkerTeam team);

    /** Frees the derived layouts, not the tensors. Nobody may compute with this layer any more. Again does nothing. */
    @Override
    void close();
}

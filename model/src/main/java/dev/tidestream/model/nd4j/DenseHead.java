package dev.tidestream.model.nd4j;

import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Logits from a dense float32 copy of an embedding, by ND4J's BLAS. Any number of threads at once, each with a team of its own.
 * The same bits for a row on every call: alone or in a batch, with any team.
 */
public interface DenseHead extends AutoCloseable {

    /**
     * Computes logits. Shapes are the caller's business.
     *
     * @param hidden {@code (rows, H)} from offset 0
     * @param logits receives {@code (rows, V)} from offset 0
     * @throws IllegalStateException if closed
     * @throws Nd4jException if there is no memory for what is made on every call
     */
    void logits(float[] hidden, int rows, float[] logits, WorkerTeam team);

    /** Bytes of the copy that is held, off-heap. */
    long bytes();

    /** Frees the copy. Nobody may be computing. Again does nothing. */
    @Override
    void close();
}

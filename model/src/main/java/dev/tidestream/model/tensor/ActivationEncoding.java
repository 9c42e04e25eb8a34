package dev.tidestream.model.tensor;

/**
 * Rows of {@link Activations} as int8 quants, in the layout that one implementation of {@link Kernels} reads. Made for one
 * {@code Activations} and kept with it; {@link Kernels#encoding} says what a quant and a scale are. Layouts differ, numbers do
 * not.
 */
public interface ActivationEncoding {
    /** Quantises all rows, split over the team. What was encoded before is void. */
    void encode(WorkerTeam team);

    /**
     * Quantises some blocks of the only row. Any threads at once, for different blocks.
     *
     * @param fromBlock first block of 32 columns, inclusive
     * @param toBlock last block, exclusive
     */
    void encodeBlocks(int fromBlock, int toBlock);

    /** The quant of one element, -127 to 127: for tests, and for kernels that read one element at a time. */
    int quant(int row, int column);

    /** The scale of a block of 32 columns. */
    float scale(int row, int block);
}

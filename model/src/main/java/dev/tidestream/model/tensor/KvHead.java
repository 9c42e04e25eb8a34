package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;

/**
 * The cached keys and values of one sequence, layer and key/value head, in blocks of {@link #BLOCK_POSITIONS} positions.
 *
 * <pre>
 * keys in a block:   headDim x 32 float32, dimension by dimension: a lane is a position
 * values in a block: 32 x headDim float32, position by position:   a lane is a dimension
 * </pre>
 *
 * @param blocks off-heap blocks in order of position
 * @param keyOffset bytes from a block's start to this head's keys
 * @param valueOffset bytes from a block's start to this head's values
 * @param headDim elements per position
 */
public record KvHead(MemorySegment[] blocks, long keyOffset, long valueOffset, int headDim) {
    /** Positions per block. */
    public static final int BLOCK_POSITIONS = 32;

    /** Writes the key and value of one position. */
    public void put(int position, float[] key, int keyFrom, float[] value, int valueFrom) {
        MemorySegment block = blocks[position / BLOCK_POSITIONS];
        int slot = position % BLOCK_POSITIONS;
        for (int d = 0; d < headDim; d++) {
            block.set(PanelMatrix.FLOAT, keyOffset + ((long) d * BLOCK_POSITIONS + slot) * Float.BYTES, key[keyFrom + d]);
        }
        MemorySegment.copy(
                value, valueFrom, block, PanelMatrix.FLOAT, valueOffset + (long) slot * headDim * Float.BYTES, headDim);
    }
}

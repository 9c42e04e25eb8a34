package dev.tidestream.model.transformer;

/**
 * The blueprint of a KV cache: how large a block is, and how many a sequence needs.
 *
 * @param layers transformer layers
 * @param kvHeads key/value heads per layer
 * @param headDim elements per head
 */
public record KvCacheShape(int layers, int kvHeads, int headDim) {
    /** Positions per block; a block holds the keys and values of all layers for so many positions. */
    public static final int BLOCK_POSITIONS = 32;

    public KvCacheShape {
        if (layers < 1 || kvHeads < 1 || headDim < 1) {
            throw new IllegalArgumentException(
                    "KV cache shape must be positive: layers=%d, kvHeads=%d, headDim=%d".formatted(layers, kvHeads, headDim));
        }
    }

    /** Bytes of one block: keys and values, float32. */
    public long blockBytes() {
        return 2L * layers * kvHeads * headDim * BLOCK_POSITIONS * Float.BYTES;
    }

    /** Blocks that hold {@code positions}. */
    public int blocksFor(int positions) {
        return Math.ceilDiv(positions, BLOCK_POSITIONS);
    }
}

package dev.tidestream.model.transformer;

import dev.tidestream.model.tensor.KvHead;

/**
 * The blueprint of a KV cache: how large a block is, and how many a sequence needs.
 *
 * @param layers transformer layers
 * @param kvHeads key/value heads per layer
 * @param headDim elements per head
 */
public record KvCacheShape(int layers, int kvHeads, int headDim) {
    /** Positions per block; a block holds the keys and values of all layers for so many positions. */
    public static final int BLOCK_POSITIONS = KvHead.BLOCK_POSITIONS;

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

    /** Bytes from a block's start to the keys of one head. */
    long keyOffset(int layer, int head) {
        return ((long) layer * kvHeads + head) * headDim * BLOCK_POSITIONS * Float.BYTES;
    }

    /** Bytes from a block's start to the values of one head. */
    long valueOffset(int layer, int head) {
        return keyOffset(layers + layer, head);
    }

    /** Blocks that hold {@code positions}. */
    public int blocksFor(int positions) {
        return Math.ceilDiv(positions, BLOCK_POSITIONS);
    }
}

package dev.tidestream.model.transformer;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.KvType;

/**
 * The blueprint of a KV cache: how large a block is, and how many a sequence needs.
 *
 * @param layers transformer layers
 * @param kvHeads key/value heads per layer
 * @param headDim elements per head
 * @param type how they are stored
 */
public record KvCacheShape(int layers, int kvHeads, int headDim, KvType type) {
    /** Positions per block; a block holds the keys and values of all layers for so many positions. */
    public static final int BLOCK_POSITIONS = KvHead.BLOCK_POSITIONS;

    public KvCacheShape {
        if (layers < 1 || kvHeads < 1 || headDim < 1) {
            throw new IllegalArgumentException(
                    "KV cache shape must be positive: layers=%d, kvHeads=%d, headDim=%d".formatted(layers, kvHeads, headDim));
        }
    }

    /** Of the caches of a model. */
    public static KvCacheShape of(Blueprint blueprint, KvType type) {
        AttentionPlan any = blueprint.layers().getFirst().attention(); // heads are the same in all
        return new KvCacheShape(blueprint.layers().size(), any.kvHeads(), any.headDim(), type);
    }

    /** Bytes of one block: keys of all layers and heads, then their values. */
    public long blockBytes() {
        return (KvHead.keyBytes(headDim, type) + KvHead.valueBytes(headDim, type)) * layers * kvHeads;
    }

    /** One head's place in these blocks. */
    KvHead head(MemorySegment[] blocks, int layer, int head) {
        long index = (long) layer * kvHeads + head;
        long keyBytes = KvHead.keyBytes(headDim, type);
        long keyOffset = index * keyBytes;
        long valueOffset = keyBytes * layers * kvHeads + index * KvHead.valueBytes(headDim, type);
        return new KvHead(blocks, keyOffset, valueOffset, headDim, type);
    }

    /** Blocks that hold {@code positions}. */
    public int blocksFor(int positions) {
        return Math.ceilDiv(positions, BLOCK_POSITIONS);
    }
}

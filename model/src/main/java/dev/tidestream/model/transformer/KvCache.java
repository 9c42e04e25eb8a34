package dev.tidestream.model.transformer;

import java.lang.foreign.MemorySegment;
import java.util.List;

import dev.tidestream.model.tensor.KvHead;

/**
 * The keys and values of one sequence: its state, and all of it. Blocks are lent by a pool (see {@link KvCacheShape}) and
 * given back by whoever lent them. Used by the decode thread only.
 */
public final class KvCache {
    private final KvCacheShape shape;
    private final List<MemorySegment> blocks;
    private final int capacity; // positions
    private final KvHead[] heads; // (layers, kvHeads)
    private int length;
    private int poisonedFrom = Integer.MAX_VALUE;

    /**
     * An empty cache.
     *
     * @param positions that fit, in whole blocks
     * @param blocks {@link KvCacheShape#blocksFor} of them, each of {@link KvCacheShape#blockBytes()}, 64-byte aligned; contents
     *     do not matter
     */
    public KvCache(KvCacheShape shape, int positions, List<MemorySegment> blocks) {
        if (blocks.size() != shape.blocksFor(positions)) {
            throw new IllegalArgumentException("KV blocks: blocks=%d, expected=%d for positions=%d"
                    .formatted(blocks.size(), shape.blocksFor(positions), positions));
        }
        for (MemorySegment block : blocks) {
            if (block.byteSize() != shape.blockBytes()) {
                throw new IllegalArgumentException(
                        "KV block size: bytes=%d, expected=%d".formatted(block.byteSize(), shape.blockBytes()));
            }
        }
        this.shape = shape;
        this.blocks = List.copyOf(blocks);
        this.capacity = Math.ceilDiv(positions, KvCacheShape.BLOCK_POSITIONS) * KvCacheShape.BLOCK_POSITIONS;
        this.heads = shape.heads(positions, blocks);
    }

    public KvCacheShape shape() {
        return shape;
    }

    /** The blocks, as they were lent. */
    public List<MemorySegment> blocks() {
        return blocks;
    }

    /** One head's keys and values, as attention reads and writes them. */
    KvHead head(int layer, int head) {
        return heads[layer * shape.kvHeads() + head];
    }

    /** Notes that a key or value of this position is not finite, which every row that sees the position must know. */
    void poison(int position) {
        poisonedFrom = Math.min(poisonedFrom, position);
    }

    /** Whether a row that sees so many positions sees one that is not finite. */
    boolean poisoned(int positions) {
        return positions > poisonedFrom;
    }

    /** Positions filled so far; the next token gets this position. */
    public int length() {
        return length;
    }

    /** Positions that fit. */
    public int capacity() {
        return capacity;
    }

    /**
     * Forgets all positions from {@code newLength} on.
     *
     * @throws IllegalArgumentException if there are not so many, or if a layer with a window has used blocks again, so that
     *     what the next position would see may be gone; such a cache can only be emptied
     */
    public void truncate(int newLength) {
        boolean gone = newLength != 0 && newLength != length && shape.overwritesBlocks(capacity);
        if (newLength < 0 || newLength > length || gone) {
            throw new IllegalArgumentException("cannot truncate: newLength=%d, length=%d%s"
                    .formatted(newLength, length, gone ? ", layers with a window have used blocks again" : ""));
        }
        length = newLength;
        if (newLength <= poisonedFrom) {
            poisonedFrom = Integer.MAX_VALUE;
        }
    }

    /** Called by a forward pass once {@code count} more positions are filled. */
    public void advance(int count) {
        if (count < 0 || length + count > capacity()) {
            throw new IllegalArgumentException(
                    "KV cache is full: length=%d, count=%d, capacity=%d".formatted(length, count, capacity()));
        }
        length += count;
    }
}

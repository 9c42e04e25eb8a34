package dev.tidestream.model.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

import dev.tidestream.model.tensor.KvHead;

/**
 * The keys and values of one sequence: its state, and all of it. Blocks are lent by a pool as positions are reached (see
 * {@link KvCacheShape}), and given back by whoever lent them. Used by the decode thread only.
 */
public final class KvCache {
    private static final int BLOCK = KvCacheShape.BLOCK_POSITIONS;

    private final KvCacheShape shape;
    private final int[] rings; // (stacks)
    private final MemorySegment[][] blocksOf; // (stacks, most positions / 32): those of a ring in turn; null where none is lent
    private final KvHead[] heads; // (layers, kvHeads)
    private final List<MemorySegment> blocks = new ArrayList<>();
    private int capacity; // positions
    private int length;
    private int poisonedFrom = Integer.MAX_VALUE;

    /**
     * A cache without blocks.
     *
     * @param positions that it may ever have
     */
    public KvCache(KvCacheShape shape, int positions) {
        this.shape = shape;
        this.rings = shape.rings();
        this.blocksOf = new MemorySegment[rings.length][Math.ceilDiv(positions, BLOCK)];
        this.heads = shape.heads(blocksOf);
    }

    /**
     * An empty cache with blocks for all its positions.
     *
     * @param positions that fit, in whole blocks
     * @param blocks {@link KvCacheShape#blocksFor} of them, each of {@link KvCacheShape#blockBytes()}, 64-byte aligned; contents
     *     do not matter
     */
    public KvCache(KvCacheShape shape, int positions, List<MemorySegment> blocks) {
        this(shape, positions);
        if (blocks.size() != shape.blocksFor(positions)) {
            throw new IllegalArgumentException("KV blocks: blocks=%d, expected=%d for positions=%d"
                    .formatted(blocks.size(), shape.blocksFor(positions), positions));
        }
        int used = 0;
        while (used < blocks.size() || capacity < positions) {
            int count = blocksOfNext();
            lend(blocks.subList(used, used + count).toArray(MemorySegment[]::new));
            used += count;
        }
    }

    public KvCacheShape shape() {
        return shape;
    }

    /** The blocks, those of the first positions first; a view. */
    public List<MemorySegment> blocks() {
        return Collections.unmodifiableList(blocks);
    }

    /** Blocks that the next 32 positions need: one of each stack but for those that use theirs again. */
    public int blocksOfNext() {
        int count = 0;
        for (int ring : rings) {
            count += capacity / BLOCK < ring ? 1 : 0;
        }
        return count;
    }

    /**
     * Makes room for 32 more positions.
     *
     * @param more {@link #blocksOfNext} of them, each of {@link KvCacheShape#blockBytes()}, 64-byte aligned; contents do not
     *     matter unless {@link #advance} says that they are filled
     * @throws IllegalArgumentException if they do not fit, or the cache has room for all positions that it may have
     */
    public void lend(MemorySegment... more) {
        int entry = capacity / BLOCK;
        if (entry == blocksOf[0].length || more.length != blocksOfNext()) {
            throw new IllegalArgumentException("KV blocks: blocks=%d, expected=%d, positions=%d, most=%d".formatted(
                    more.length, entry == blocksOf[0].length ? 0 : blocksOfNext(), capacity, blocksOf[0].length * BLOCK));
        }
        for (MemorySegment block : more) {
            requireSize(block);
        }
        int next = 0;
        for (int stack = 0; stack < rings.length; stack++) {
            MemorySegment[] own = blocksOf[stack];
            own[entry] = entry < rings[stack] ? more[next++] : own[entry - rings[stack]];
        }
        Collections.addAll(blocks, more);
        capacity += BLOCK;
    }

    private void requireSize(MemorySegment block) {
        if (block.byteSize() != shape.blockBytes()) {
            throw new IllegalArgumentException(
                    "KV block size: bytes=%d, expected=%d".formatted(block.byteSize(), shape.blockBytes()));
        }
    }

    /**
     * Puts blocks in the place of those of 32 positions; the caller answers for their contents.
     *
     * @param entry number of the 32 positions, counted from 0
     * @param others one of each stack, in the order of {@link #lend}
     * @return those that were there
     * @throws IllegalArgumentException if there are none, or if layers with a window use blocks again
     */
    public MemorySegment[] exchange(int entry, MemorySegment... others) {
        MemorySegment[] were = blocksAt(entry);
        if (others.length != were.length) {
            throw new IllegalArgumentException("KV blocks: blocks=%d, expected=%d".formatted(others.length, were.length));
        }
        for (int stack = 0; stack < others.length; stack++) {
            requireSize(others[stack]);
            blocksOf[stack][entry] = others[stack];
            blocks.set(entry * rings.length + stack, others[stack]);
        }
        return were;
    }

    /**
     * The blocks of 32 positions, one of each stack.
     *
     * @param entry number of the 32 positions, counted from 0
     * @throws IllegalArgumentException if there are none, or if layers with a window use blocks again
     */
    public MemorySegment[] blocksAt(int entry) {
        if (entry < 0 || entry >= capacity / BLOCK || shape.overwritesBlocks(capacity)) {
            throw new IllegalArgumentException("no KV blocks of their own: entry=%d, capacity=%d, reused=%s"
                    .formatted(entry, capacity, shape.overwritesBlocks(capacity)));
        }
        return Arrays.stream(blocksOf).map(stack -> stack[entry]).toArray(MemorySegment[]::new);
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
    public boolean poisoned(int positions) {
        return positions > poisonedFrom;
    }

    /** Positions filled so far; the next token gets this position. */
    public int length() {
        return length;
    }

    /** Positions that there are blocks for. */
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

    /** Called by a forward pass once {@code count} more positions are filled, and by whoever has lent filled blocks. */
    public void advance(int count) {
        if (count < 0 || length + count > capacity()) {
            throw new IllegalArgumentException(
                    "KV cache is full: length=%d, count=%d, capacity=%d".formatted(length, count, capacity()));
        }
        length += count;
    }
}

package dev.tidestream.server.scheduler;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCacheShape;

/**
 * Lends KV-cache blocks within a stated budget of bytes. A sequence gets all blocks it may ever need at once, so it never runs out
 * half-way. Blocks are off-heap, allocated when first needed and then used again; contents are not cleared.
 *
 * <p>Used by the decode thread only, except {@link #usedBytes} and {@link #neverFits}.
 */
public final class KvCachePool implements AutoCloseable {
    private static final long ALIGNMENT_BYTES = 64;

    private final KvCacheShape shape;
    private final long budgetBytes;
    private final int budgetBlocks;
    private final Arena arena = new PageArena();
    private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
    private final Set<KvCache> lent = Collections.newSetFromMap(new IdentityHashMap<>());
    private int allocatedBlocks;
    private volatile int lentBlocks;

    /**
     * A pool that has taken no memory yet.
     *
     * @throws IllegalArgumentException if the budget holds no block
     */
    public KvCachePool(KvCacheShape shape, long budgetBytes) {
        long least = shape.blocksFor(1) * shape.blockBytes();
        if (budgetBytes < least) {
            throw new IllegalArgumentException("KV memory must hold %d positions at least: bytes=%d, needed=%d"
                    .formatted(KvCacheShape.BLOCK_POSITIONS, budgetBytes, least));
        }
        this.shape = shape;
        this.budgetBytes = budgetBytes;
        this.budgetBlocks = (int) Math.min(Integer.MAX_VALUE, budgetBytes / shape.blockBytes());
    }

    /** Bytes lent to sequences; any thread. */
    public long usedBytes() {
        return lentBlocks * shape.blockBytes();
    }

    /** Bytes taken from the system so far. */
    public long allocatedBytes() {
        return allocatedBlocks * shape.blockBytes();
    }

    /** Most bytes this pool ever takes. */
    public long budgetBytes() {
        return budgetBytes;
    }

    /** The numbers, if so many positions are more than the whole pool has; any thread. */
    public Optional<KvReservation.NeverFits> neverFits(int positions) {
        int needed = shape.blocksFor(positions);
        return needed <= budgetBlocks
                ? Optional.empty()
                : Optional.of(new KvReservation.NeverFits(
                        positions, needed, needed * shape.blockBytes(), budgetBlocks, budgetBytes, budgetPositions()));
    }

    /** Blocks that would have to come back before {@link #reserve} grants so many positions; 0 if it grants them now. */
    public int missingBlocks(int positions) {
        return Math.max(0, shape.blocksFor(positions) - (budgetBlocks - lentBlocks));
    }

    /** Positions that one sequence may have at most; any thread. */
    public long budgetPositions() {
        return shape.positionsWithin(budgetBlocks);
    }

    /**
     * Blocks for {@code positions}, all or none.
     *
     * @param positions at least 1
     * @throws OutOfMemoryError if the system has less memory than the budget promises; then nothing was lent
     */
    public KvReservation reserve(int positions) {
        if (positions < 1) {
            throw new IllegalArgumentException("positions must be at least 1: positions=" + positions);
        }
        Optional<KvReservation.NeverFits> never = neverFits(positions);
        if (never.isPresent()) {
            return never.get();
        }
        int needed = shape.blocksFor(positions);
        if (needed > budgetBlocks - lentBlocks) {
            return new KvReservation.NotNow(needed, budgetBlocks - lentBlocks);
        }
        allocate(needed - free.size());
        List<MemorySegment> blocks = new ArrayList<>(needed);
        for (int i = 0; i < needed; i++) {
            blocks.add(free.pop());
        }
        KvCache cache = new KvCache(shape, positions, blocks);
        lent.add(cache);
        setLentBlocks(lentBlocks + needed);
        return new KvReservation.Granted(cache);
    }

    /** Blocks that lie side by side: attention streams through them, and large pages hold many. */
    private void allocate(int blocks) {
        if (blocks <= 0) {
            return;
        }
        MemorySegment slab = arena.allocate(blocks * shape.blockBytes(), ALIGNMENT_BYTES);
        for (int i = blocks - 1; i >= 0; i--) { // the first is taken first
            free.push(slab.asSlice(i * shape.blockBytes(), shape.blockBytes()));
        }
        allocatedBlocks += blocks;
    }

    /**
     * Takes a cache back.
     *
     * @throws IllegalStateException if it is not lent by this pool, or was given back before
     */
    public void release(KvCache cache) {
        if (!lent.remove(cache)) {
            throw new IllegalStateException("KV cache is not lent: blocks=%d, lent_caches=%d"
                    .formatted(cache.blocks().size(), lent.size()));
        }
        cache.blocks().forEach(free::push);
        setLentBlocks(lentBlocks - cache.blocks().size());
    }

    private void setLentBlocks(int blocks) {
        lentBlocks = blocks;
    }

    /** Gives all memory back to the system; no cache may be used any more. */
    @Override
    public void close() {
        arena.close();
        free.clear();
    }
}

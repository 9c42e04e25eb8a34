package dev.tidestream.server.scheduler.kv;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCacheShape;

/**
 * Lends KV-cache blocks within a stated budget of bytes, as positions are reached. Blocks are off-heap, allocated when first
 * needed and then used again; contents are not cleared.
 *
 * <p>Full blocks are shared by content ({@link PrefixIndex}) if the pool was told to keep some: a sequence that begins with the
 * same tokens, computed with weights of the same version and the same adapter or none, takes them instead of computing them. Keys
 * and values of a position depend on nothing else, so its bits are the same. Type and precision are those of the process, and of the pool. Not shared are
 * blocks of caches
 * <ul>
 *   <li>in which layers with a window use blocks again, since these are written again;
 *   <li>with a position that is not finite, whose mark is the cache's;
 *   <li>filled with weights of more than one version ({@link LentCache#stopSharing}).
 * </ul>
 * A share of the blocks is kept after the last sequence has let go of them; whenever a block is missing, kept ones are taken
 * first.
 *
 * <p>Used by the decode thread only, except {@link #stats}, {@link #neverFits} and the budget.
 */
public final class KvCachePool implements AutoCloseable {
    /** What stands for no adapter. */
    public static final long NO_ADAPTER = 0;

    private static final int BLOCK = KvCacheShape.BLOCK_POSITIONS;
    private static final long ALIGNMENT_BYTES = 64;
    private static final long SLAB_BYTES = 32L << 20;

    private final KvCacheShape shape;
    private final long budgetBytes;
    private final int budgetBlocks;
    private final int stacks;
    private final int mostKept; // blocks
    private final @Nullable PrefixIndex index; // null: nothing is shared
    private final Arena arena = new PageArena();
    private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
    private final KvCounts counts = new KvCounts();
    private int allocatedBlocks;
    private int lentBlocks; // shared ones once

    /**
     * A pool that has taken no memory yet and shares nothing.
     *
     * @throws IllegalArgumentException if the budget holds no block
     */
    public KvCachePool(KvCacheShape shape, long budgetBytes) {
        this(shape, budgetBytes, 0);
    }

    /**
     * A pool that has taken no memory yet.
     *
     * @param prefixShare most of the budget that is kept for sequences to come, 0 to 1; 0: nothing is kept or shared
     * @throws IllegalArgumentException if the budget holds no block
     */
    public KvCachePool(KvCacheShape shape, long budgetBytes, double prefixShare) {
        this(shape, budgetBytes, prefixShare, new PrefixIndex());
    }

    KvCachePool(KvCacheShape shape, long budgetBytes, double prefixShare, PrefixIndex index) {
        long least = shape.blocksFor(1) * shape.blockBytes();
        if (budgetBytes < least) {
            throw new IllegalArgumentException("KV memory must hold %d positions at least: bytes=%d, needed=%d"
                    .formatted(KvCacheShape.BLOCK_POSITIONS, budgetBytes, least));
        }
        if (!(prefixShare >= 0 && prefixShare <= 1)) {
            throw new IllegalArgumentException("prefix_share must be in 0..1: prefix_share=" + prefixShare);
        }
        this.shape = shape;
        this.budgetBytes = budgetBytes;
        this.budgetBlocks = (int) Math.min(Integer.MAX_VALUE, budgetBytes / shape.blockBytes());
        this.stacks = shape.blocksFor(1);
        this.mostKept = (int) (prefixShare * budgetBlocks);
        this.index = prefixShare > 0 ? index : null;
    }

    /** What it has lent and kept; any thread. */
    public KvStats stats() {
        return counts.stats(shape.blockBytes(), budgetBytes);
    }

    /** Bytes lent to sequences; any thread. */
    public long usedBytes() {
        return stats().usedBytes();
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
    public Optional<NeverFits> neverFits(int positions) {
        int needed = shape.blocksFor(positions);
        return needed <= budgetBlocks
                ? Optional.empty()
                : Optional.of(new NeverFits(
                        positions, needed, needed * shape.blockBytes(), budgetBlocks, budgetBytes, budgetPositions()));
    }

    /** Positions that one sequence may have at most; any thread. */
    public long budgetPositions() {
        return shape.positionsWithin(budgetBlocks);
    }

    /** Blocks that hold so many positions. */
    public int blocksFor(int positions) {
        return shape.blocksFor(positions);
    }

    /** Blocks that can be lent now: those that are free, and those kept for nobody. */
    public int available() {
        return budgetBlocks - lentBlocks;
    }

    /** A cache without blocks, to be filled with the base alone. */
    public LentCache open(int positions) {
        return open(positions, NO_ADAPTER);
    }

    /**
     * A cache without blocks.
     *
     * @param positions that it may ever have
     * @param adapter number of the adapter that it is filled with; {@value #NO_ADAPTER} for none
     */
    public LentCache open(int positions, long adapter) {
        return new LentCache(new KvCache(shape, positions), index != null && !shape.overwritesBlocks(positions), adapter);
    }

    /**
     * Lends blocks until a cache has room for {@code positions} in all, or none is available.
     *
     * @return whether it has
     * @throws OutOfMemoryError if the system has less memory than the budget promises
     */
    public boolean lend(LentCache to, int positions) {
        KvCache cache = to.cache;
        while (cache.capacity() < positions) {
            int needed = cache.blocksOfNext();
            if (needed > available()) {
                return false;
            }
            makeFree(needed);
            MemorySegment[] blocks = new MemorySegment[needed];
            for (int i = 0; i < needed; i++) {
                blocks[i] = free.pop();
            }
            cache.lend(blocks);
            setLent(lentBlocks + needed);
        }
        return true;
    }

    /** So many of {@link #available} become free. */
    private void makeFree(int blocks) {
        while (free.size() < blocks) {
            if (allocatedBlocks < budgetBlocks) {
                allocate(blocks - free.size());
            } else {
                freeLeastNeeded();
            }
        }
    }

    /** Blocks that lie side by side, so that large pages hold many; pages are taken from the system when they are written. */
    private void allocate(int least) {
        int left = budgetBlocks - allocatedBlocks;
        int blocks = (int) Math.min(left, Math.max(least, SLAB_BYTES / shape.blockBytes()));
        MemorySegment slab = arena.allocate(blocks * shape.blockBytes(), ALIGNMENT_BYTES);
        for (int i = blocks - 1; i >= 0; i--) { // the first is taken first
            free.push(slab.asSlice(i * shape.blockBytes(), shape.blockBytes()));
        }
        allocatedBlocks += blocks;
    }

    private void freeLeastNeeded() {
        SharedBlocks least = index == null ? null : index.removeLeastNeeded();
        if (least == null) {
            throw new IllegalStateException("no KV block is free or kept: budget=%d, allocated=%d, lent=%d"
                    .formatted(budgetBlocks, allocatedBlocks, lentBlocks));
        }
        counts.evicted();
        countShared();
        free(least.blocks);
    }

    private void free(MemorySegment... blocks) {
        for (MemorySegment block : blocks) {
            free.push(block);
        }
    }

    /**
     * Lends the blocks that others have filled with the tokens that a cache needs next, so that these need not be computed.
     *
     * @param weightsVersion of the weights that the cache is filled with
     * @param tokens of the sequence, from its first on
     * @param limit most positions that the cache may have filled afterwards
     * @return positions that are filled now and were not before
     */
    public int reuse(LentCache to, long weightsVersion, int[] tokens, int limit) {
        KvCache cache = to.cache;
        int before = cache.length();
        while (index != null && to.sharing && to.sharedPositions() == cache.length() && cache.length() + BLOCK <= limit) {
            SharedBlocks found = index.find(to.lastShared(), weightsVersion, to.adapter, tokens, cache.length());
            if (found == null) {
                break;
            }
            hold(to, found);
            if (cache.capacity() > cache.length()) {
                giveBack(cache.exchange(cache.length() / BLOCK, found.blocks));
            } else {
                cache.lend(found.blocks);
            }
            cache.advance(BLOCK);
        }
        int reused = cache.length() - before;
        if (reused > 0) {
            counts.reused(reused);
        }
        return reused;
    }

    private void hold(LentCache by, SharedBlocks shared) {
        PrefixIndex known = requireIndex();
        if (shared.holders == 0) {
            setLent(lentBlocks + shared.blocks.length);
        }
        known.hold(shared);
        by.shared.add(shared);
        countShared();
    }

    private PrefixIndex requireIndex() {
        if (index == null) {
            throw new IllegalStateException("blocks are not shared");
        }
        return index;
    }

    private void giveBack(MemorySegment... blocks) {
        free(blocks);
        setLent(lentBlocks - blocks.length);
    }

    /**
     * Of the blocks that {@link #reuse} would lend first, how many are lent to others now, and so cost nothing.
     *
     * @param adapter as of {@link #open(int, long)}
     * @param limit most positions that count
     */
    public int lentToOthers(long weightsVersion, long adapter, int[] tokens, int limit) {
        return prefix(weightsVersion, adapter, tokens, limit, 1).stream().mapToInt(shared -> shared.blocks.length).sum();
    }

    /**
     * Positions that {@link #reuse} would fill now of a cache that is empty.
     *
     * @param positions that the cache may ever have
     * @param adapter as of {@link #open(int, long)}
     * @param limit most positions that count
     */
    public int kept(int positions, long weightsVersion, long adapter, int[] tokens, int limit) {
        return shape.overwritesBlocks(positions) ? 0 : BLOCK * prefix(weightsVersion, adapter, tokens, limit, 0).size();
    }

    private List<SharedBlocks> prefix(long weightsVersion, long adapter, int[] tokens, int limit, int holders) {
        return index == null ? List.of() : index.prefix(weightsVersion, adapter, tokens, limit, holders);
    }

    /**
     * Shares the blocks of a cache that have become full, once each. If others have filled blocks with the same before, these
     * take the place of the cache's own.
     *
     * @param weightsVersion of the weights that the cache is filled with
     * @param tokens of the sequence, from its first on
     */
    public void share(LentCache of, long weightsVersion, int[] tokens) {
        while (of.sharing && of.sharedPositions() + BLOCK <= of.cache.length()) {
            int from = of.sharedPositions();
            SharedBlocks parent = of.lastShared();
            if (of.cache.poisoned(from + BLOCK) || (parent != null && !parent.indexed)) {
                of.stopSharing();
                return;
            }
            PrefixIndex known = requireIndex();
            SharedBlocks same = known.find(parent, weightsVersion, of.adapter, tokens, from);
            if (same == null) {
                of.shared.add(known.add(parent, weightsVersion, of.adapter, tokens, from, of.cache.blocksAt(from / BLOCK)));
                countShared();
            } else {
                hold(of, same);
                giveBack(of.cache.exchange(from / BLOCK, same.blocks));
            }
        }
    }

    /**
     * Takes a cache back. What it shares stays for others while there is room for it.
     *
     * @throws IllegalStateException if it was given back before
     */
    public void release(LentCache cache) {
        if (cache.released) {
            throw new IllegalStateException("KV cache is not lent: blocks=" + cache.blocks());
        }
        cache.released = true;
        giveBack(cache.own().toArray(MemorySegment[]::new));
        for (SharedBlocks shared : cache.shared.reversed()) { // the last is needed least
            boolean unheld = requireIndex().letGo(shared);
            if (shared.holders == 0) {
                setLent(lentBlocks - shared.blocks.length);
            }
            if (unheld) {
                free(shared.blocks);
            }
        }
        while (index != null && index.unused() * stacks > mostKept) {
            freeLeastNeeded();
        }
        countShared();
    }

    /** Blocks that would be available if all these caches were given back, and are not now. */
    public int returnedBy(Collection<LentCache> caches) {
        return returnedBy(caches, 0, NO_ADAPTER, new int[0], 0);
    }

    /**
     * The same without those blocks that {@link #lentToOthers} counts: a sequence that takes these over needs no others for them,
     * whoever holds them.
     */
    public int returnedBy(Collection<LentCache> caches, long weightsVersion, long adapter, int[] tokens, int limit) {
        int blocks = 0;
        IdentityHashMap<SharedBlocks, Integer> holders = new IdentityHashMap<>();
        prefix(weightsVersion, adapter, tokens, limit, 1).forEach(shared -> holders.put(shared, -1)); // one more holder than there are
        for (LentCache cache : caches) {
            blocks += cache.own().size();
            for (SharedBlocks shared : cache.shared) {
                blocks += holders.merge(shared, 1, Integer::sum) == shared.holders ? shared.blocks.length : 0;
            }
        }
        return blocks;
    }

    /** Whether nothing is shared that was computed with weights of another version. */
    public boolean sharesOnly(long weightsVersion) {
        return index == null || index.allOf(weightsVersion);
    }

    /** Forgets shared blocks of other versions of the weights; those that sequences hold are theirs until they give them back. */
    public void retain(LongPredicate weightsVersions) {
        if (index != null) {
            index.retain(weightsVersions, shared -> free(shared.blocks));
            countShared();
        }
    }

    private void setLent(int blocks) {
        lentBlocks = blocks;
        counts.lent(blocks);
    }

    private void countShared() {
        if (index != null) {
            counts.shared(index.size() * stacks, index.unused() * stacks);
        }
    }

    /** Gives all memory back to the system; no cache may be used any more. */
    @Override
    public void close() {
        arena.close();
        free.clear();
    }
}

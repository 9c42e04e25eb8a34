package dev.tidestream.server.scheduler.kv;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCacheShape;

/**
 * What a sequence has of the pool: a cache whose first blocks it shares with others, and whose last ones are its own. Lent by
 * {@link KvCachePool#open}, to be given back by {@link KvCachePool#release}.
 */
public final class LentCache {
    final KvCache cache;
    final List<SharedBlocks> shared = new ArrayList<>(); // of the first positions
    boolean sharing;
    final long adapter; // number of the one that it is filled with; 0: none
    boolean released;

    LentCache(KvCache cache, boolean sharing, long adapter) {
        this.cache = cache;
        this.sharing = sharing;
        this.adapter = adapter;
    }

    /** The cache, for forward passes. */
    public KvCache cache() {
        return cache;
    }

    /** Positions that there are blocks for, beyond those that are filled. */
    public int room() {
        return cache.capacity() - cache.length();
    }

    /** Blocks that it has, shared ones too. */
    public int blocks() {
        return cache.blocks().size();
    }

    /** From now on it is filled with weights of another version: no block from here on is anybody else's. */
    public void stopSharing() {
        sharing = false;
    }

    /**
     * Whether another fills the block that this one needs next, so that it can be taken from there.
     *
     * @param tokens of the sequence that this one is lent to
     * @param limit most positions that need not be computed
     * @param othersTokens of the one that the other is lent to
     * @param othersCount how many of these there are
     */
    public boolean needsWhatFills(LentCache other, int[] tokens, int limit, int[] othersTokens, int othersCount) {
        int from = sharedPositions();
        int to = from + KvCacheShape.BLOCK_POSITIONS;
        return sharing && other.sharing && adapter == other.adapter && cache.length() == from
                && other.sharedPositions() == from && lastShared() == other.lastShared()
                && to <= limit && to <= othersCount && Arrays.equals(tokens, from, to, othersTokens, from, to);
    }

    /** What its first positions end with that are shared; null if none are. */
    @Nullable SharedBlocks lastShared() {
        return shared.isEmpty() ? null : shared.getLast();
    }

    int sharedPositions() {
        return shared.size() * KvCacheShape.BLOCK_POSITIONS;
    }

    /** The blocks that nobody else has. */
    List<MemorySegment> own() {
        int ofShared = shared.stream().mapToInt(s -> s.blocks.length).sum();
        return cache.blocks().subList(ofShared, cache.blocks().size());
    }
}

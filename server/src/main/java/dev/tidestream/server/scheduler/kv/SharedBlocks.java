package dev.tidestream.server.scheduler.kv;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

import org.jspecify.annotations.Nullable;

/**
 * Keys and values of 32 positions that any sequence may read which begins with the same tokens: full, and never written again.
 * Compared by identity; what makes two of them the same is {@link #holds}.
 */
final class SharedBlocks {
    final @Nullable SharedBlocks parent; // of the 32 positions before; null if these are the first
    final long weightsVersion;
    final long adapter; // 0: none
    final long hash;
    final MemorySegment[] blocks; // (stacks)
    @Nullable SharedBlocks sameHash; // the next one in the index
    int holders; // sequences
    boolean indexed = true;
    private final int[] tokens; // (32)

    /** @param tokens those of the 32 positions, the caller's no more */
    SharedBlocks(@Nullable SharedBlocks parent, long weightsVersion, long adapter, long hash, int[] tokens, MemorySegment[] blocks) {
        this.parent = parent;
        this.weightsVersion = weightsVersion;
        this.adapter = adapter;
        this.hash = hash;
        this.tokens = tokens;
        this.blocks = blocks;
    }

    /**
     * Whether these are the keys and values of such tokens behind such others, computed with such weights and such an adapter. That the tokens before
     * are the same follows from the parent, of which the index has one for each content.
     */
    boolean holds(@Nullable SharedBlocks before, long version, long with, int[] of, int from) {
        return parent == before && weightsVersion == version && adapter == with
                && Arrays.equals(tokens, 0, tokens.length, of, from, from + tokens.length);
    }
}

package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** KV caches for commands that work on a model directly, without a server's pool and budget. */
public final class KvCaches {
    private static final int CACHE_LINE = 64;

    private KvCaches() {}

    /** A cache for so many positions, in the arena's memory. */
    public static KvCache cache(LanguageModel model, int positions, Arena arena) {
        KvCacheShape shape = model.kvCacheShape();
        int count = shape.blocksFor(positions);
        MemorySegment slab = arena.allocate(count * shape.blockBytes(), CACHE_LINE);
        List<MemorySegment> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(slab.asSlice(i * shape.blockBytes(), shape.blockBytes()));
        }
        return new KvCache(shape, positions, blocks);
    }
}

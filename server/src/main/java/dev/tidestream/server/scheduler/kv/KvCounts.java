package dev.tidestream.server.scheduler.kv;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Counts of the pool: written by the decode thread, read by any. */
final class KvCounts {
    private final AtomicInteger lentBlocks = new AtomicInteger();
    private final AtomicInteger sharedBlocks = new AtomicInteger();
    private final AtomicInteger keptBlocks = new AtomicInteger();
    private final AtomicLong reusedTokens = new AtomicLong();
    private final AtomicLong evictions = new AtomicLong();

    void lent(int blocks) {
        lentBlocks.set(blocks);
    }

    void shared(int blocks, int kept) {
        sharedBlocks.set(blocks);
        keptBlocks.set(kept);
    }

    void reused(int tokens) {
        reusedTokens.addAndGet(tokens);
    }

    void evicted() {
        evictions.incrementAndGet();
    }

    KvStats stats(long blockBytes, long budgetBytes) {
        return new KvStats(lentBlocks.get() * blockBytes, budgetBytes, sharedBlocks.get() * blockBytes,
                keptBlocks.get() * blockBytes, reusedTokens.get(), evictions.get());
    }
}

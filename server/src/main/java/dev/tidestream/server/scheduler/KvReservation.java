package dev.tidestream.server.scheduler;

import dev.tidestream.model.transformer.KvCache;

/** The pool's answer to a reservation. */
public sealed interface KvReservation {

    /** The cache is lent; it goes back by {@link KvCachePool#release}. */
    record Granted(KvCache cache) implements KvReservation {}

    /** Other sequences hold too many blocks at this moment. */
    record NotNow(int neededBlocks, int freeBlocks) implements KvReservation {}

    /** More than the whole pool has. */
    record NeverFits(int positions, int neededBlocks, long neededBytes, int budgetBlocks, long budgetBytes)
            implements KvReservation {
        /** The numbers, for the client to read. */
        public String message() {
            return "KV cache can never hold the request: positions=%d, needed_blocks=%d, needed_bytes=%d, budget_blocks=%d, budget_bytes=%d"
                    .formatted(positions, neededBlocks, neededBytes, budgetBlocks, budgetBytes);
        }
    }
}

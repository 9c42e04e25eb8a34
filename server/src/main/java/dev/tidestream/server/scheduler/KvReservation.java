package dev.tidestream.server.scheduler;

import dev.tidestream.model.transformer.KvCache;

/** The pool's answer to a reservation. */
public sealed interface KvReservation {

    /** The cache is lent; it goes back by {@link KvCachePool#release}. */
    record Granted(KvCache cache) implements KvReservation {}

    /** Other sequences hold too many blocks at this moment. */
    record NotNow(int neededBlocks, int freeBlocks) implements KvReservation {}

    /** More than the whole pool has, which is enough for {@code budgetPositions} of one sequence. */
    record NeverFits(int positions, int neededBlocks, long neededBytes, int budgetBlocks, long budgetBytes, long budgetPositions)
            implements KvReservation {
        /** The numbers, for the client to read, and what would fit. */
        public String message(int promptTokens, int maxTokens) {
            long left = budgetPositions - promptTokens;
            String fits = left > 0
                    ? "max_tokens=%d would fit this prompt".formatted(left)
                    : "no max_tokens fits this prompt, a prompt of %d tokens would fit max_tokens=1".formatted(budgetPositions - 1);
            return ("KV cache can never hold the request: prompt_tokens=%d, max_tokens=%d, positions=%d, needed_blocks=%d, needed_bytes=%d, "
                    + "budget_blocks=%d, budget_bytes=%d, budget_positions=%d; %s").formatted(
                            promptTokens, maxTokens, positions, neededBlocks, neededBytes,
                            budgetBlocks, budgetBytes, budgetPositions, fits);
        }
    }
}

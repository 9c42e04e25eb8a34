package dev.tidestream.server.scheduler.kv;

/**
 * What the pool of KV memory holds at a moment.
 *
 * @param usedBytes lent to sequences, shared blocks once
 * @param budgetBytes most that it ever takes
 * @param sharedBytes full blocks that any sequence may take, lent or kept
 * @param keptBytes those of them that no sequence has
 * @param reusedTokens positions so far that were taken from shared blocks instead of being computed
 * @param evictions how often blocks of 32 positions that were kept were given up so far, for others or for the bound of what is
 *     kept
 */
public record KvStats(long usedBytes, long budgetBytes, long sharedBytes, long keptBytes, long reusedTokens, long evictions) {

    /** What has come since: counts are those from {@code start} on, everything else is as it is now. */
    public KvStats since(KvStats start) {
        return new KvStats(
                usedBytes, budgetBytes, sharedBytes, keptBytes, reusedTokens - start.reusedTokens, evictions - start.evictions);
    }
}

package dev.tidestream.server.scheduler;

/**
 * How much may wait for a slot, and how those that wait share. The last quarter of each is kept for clients that have nothing
 * waiting, so that a few that queue a lot do not shut the others out.
 *
 * @param maxQueued most sequences that wait, at least 1
 * @param maxBytes most memory that they hold, KV blocks apart, at least 1
 * @param maxTokens most tokens of their prompts, at least 1; a prompt that is longer waits alone
 * @param batchShare part of the tokens that is kept for batch streams while interactive ones wait, 0 to below 1
 */
public record QueueLimits(int maxQueued, long maxBytes, long maxTokens, double batchShare) {
    /** Most tokens of prompts that wait, unless said otherwise. */
    public static final long DEFAULT_MAX_TOKENS = 1 << 20;
    /** What is kept for batch streams, unless said otherwise. */
    public static final double DEFAULT_BATCH_SHARE = 0.1;

    private static final int KEPT_FOR_OTHERS = 4; // a quarter

    public QueueLimits {
        SchedulerConfig.requirePositive("max_queued", maxQueued);
        SchedulerConfig.requirePositive("max_queued_bytes", maxBytes);
        SchedulerConfig.requirePositive("max_queued_tokens", maxTokens);
        if (!(batchShare >= 0 && batchShare < 1)) {
            throw new IllegalArgumentException("batch_share must be at least 0 and below 1: batch_share=" + batchShare);
        }
    }

    /** With the usual number of tokens and share of batch streams. */
    public QueueLimits(int maxQueued, long maxBytes) {
        this(maxQueued, maxBytes, DEFAULT_MAX_TOKENS, DEFAULT_BATCH_SHARE);
    }

    /** @param hasSome whether the client that asks has something waiting already */
    int maxQueued(boolean hasSome) {
        return (int) of(maxQueued, hasSome);
    }

    /** @param hasSome whether the client that asks has something waiting already */
    long maxBytes(boolean hasSome) {
        return of(maxBytes, hasSome);
    }

    /** @param hasSome whether the client that asks has something waiting already */
    long maxTokens(boolean hasSome) {
        return of(maxTokens, hasSome);
    }

    private static long of(long limit, boolean hasSome) {
        return hasSome ? limit - limit / KEPT_FOR_OTHERS : limit;
    }
}

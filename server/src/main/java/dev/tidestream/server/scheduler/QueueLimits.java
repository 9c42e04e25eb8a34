package dev.tidestream.server.scheduler;

/**
 * How much may wait for a slot. The last quarter of both is kept for connections that have nothing waiting, so that a few that
 * queue a lot do not shut the others out.
 *
 * @param maxQueued most sequences that wait, at least 1
 * @param maxBytes most memory that they hold, KV blocks apart, at least 1
 */
public record QueueLimits(int maxQueued, long maxBytes) {
    private static final int KEPT_FOR_OTHERS = 4; // a quarter

    public QueueLimits {
        SchedulerConfig.requirePositive("max_queued", maxQueued);
        SchedulerConfig.requirePositive("max_queued_bytes", maxBytes);
    }

    /** @param hasSome whether the connection that asks has something waiting already */
    int maxQueued(boolean hasSome) {
        return hasSome ? maxQueued - maxQueued / KEPT_FOR_OTHERS : maxQueued;
    }

    /** @param hasSome whether the connection that asks has something waiting already */
    long maxBytes(boolean hasSome) {
        return hasSome ? maxBytes - maxBytes / KEPT_FOR_OTHERS : maxBytes;
    }
}

package dev.tidestream.server.scheduler;

/**
 * How much may be parked: sequences without demand that have no slot. Past a limit, the one that has been without demand longest goes,
 * of the connection that holds most.
 *
 * @param maxParked most sequences, at least 1
 * @param maxBytes most memory that they hold, KV blocks apart, at least 1
 * @param timeoutNs how long a sequence may be without demand, parked or not
 */
public record StallLimits(int maxParked, long maxBytes, long timeoutNs) {
    public StallLimits {
        SchedulerConfig.requirePositive("max_parked", maxParked);
        SchedulerConfig.requirePositive("max_parked_bytes", maxBytes);
        SchedulerConfig.requirePositive("stall_timeout_ns", timeoutNs);
    }
}

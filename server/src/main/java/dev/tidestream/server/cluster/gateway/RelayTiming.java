package dev.tidestream.server.cluster.gateway;

import java.time.Duration;

/**
 * How long a stream may be without a worker, and how often it may lose one.
 *
 * @param failover longest that a stream that has lost its worker, or has found none, waits for another
 * @param retry between two looks for one
 * @param maxLosses workers that a stream may lose one after the other without a token in between: what ends a request that ends workers
 */
public record RelayTiming(Duration failover, Duration retry, int maxLosses) {
    /** 30 s, 50 ms, 3. */
    public static final RelayTiming DEFAULT = new RelayTiming(Duration.ofSeconds(30), Duration.ofMillis(50), 3);

    public RelayTiming {
        if (failover.isNegative() || retry.toMillis() < 1 || maxLosses < 1) {
            throw new IllegalArgumentException("failover must be at least 0, retry 1 ms, max_losses 1: failover=%s, retry=%s, max_losses=%d"
                    .formatted(failover, retry, maxLosses));
        }
    }

    /** The same with another bound of the time without a worker. */
    public RelayTiming withFailover(Duration longest) {
        return new RelayTiming(longest, retry, maxLosses);
    }
}

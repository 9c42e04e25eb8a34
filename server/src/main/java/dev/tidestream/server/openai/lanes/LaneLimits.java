package dev.tidestream.server.openai.lanes;

import java.time.Duration;

/**
 * What connections with lanes may hold.
 *
 * @param maxLanes distinct names of lanes of one connection, in all its time
 * @param maxRunning responses of one connection that are made at once
 * @param maxWaiting more of them that wait for their turn
 * @param maxBytes what waits, and the latest response of each lane, of all connections together, estimated
 * @param maxBytesPerConnection the same of one connection
 * @param maxAge how long a connection may be open
 */
public record LaneLimits(int maxLanes, int maxRunning, int maxWaiting, long maxBytes, long maxBytesPerConnection, Duration maxAge) {
    /** 32 lanes, 16 responses at once and 64 that wait, 64 MiB and 8 MiB of one connection, 60 minutes. */
    public static final LaneLimits DEFAULT = new LaneLimits(32, 16, 64, 64L << 20, 8L << 20, Duration.ofMinutes(60));

    public LaneLimits {
        if (maxLanes < 1 || maxRunning < 1 || maxWaiting < 1 || maxBytes < 1 || maxBytesPerConnection < 1 || !maxAge.isPositive()) {
            throw new IllegalArgumentException(
                    "must be above 0: maxLanes=%d, maxRunning=%d, maxWaiting=%d, maxBytes=%d, maxBytesPerConnection=%d, maxAge=%s"
                            .formatted(maxLanes, maxRunning, maxWaiting, maxBytes, maxBytesPerConnection, maxAge));
        }
    }
}

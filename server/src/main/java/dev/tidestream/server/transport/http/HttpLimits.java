package dev.tidestream.server.transport.http;

import java.time.Duration;

/**
 * The bounds of connections that have not become WebSockets.
 *
 * @param maxPending connections at once whose request has not come to its end; beyond that the oldest is given up
 * @param maxPendingPerAddress the same, of one remote address
 * @param maxIdle connections at once that are kept alive without a request; beyond that the one that was idle longest is closed
 * @param requestTimeout how long a request may take to come, from when the connection was accepted or its first byte came
 * @param idleTimeout how long a connection is kept alive without a request
 * @param maxBodyBytes largest body of a request
 * @param answers bounds of what is sent, and of the work for it
 */
public record HttpLimits(
        int maxPending, int maxPendingPerAddress, int maxIdle, Duration requestTimeout, Duration idleTimeout, int maxBodyBytes,
        AnswerLimits answers) {
    private static final int MORE_PENDING = 64;
    private static final int PENDING_ADDRESSES = 4;
    private static final int MAX_IDLE = 256;
    private static final int MAX_BODY_BYTES = 1 << 20;

    public HttpLimits {
        if (maxPending < 1 || maxPendingPerAddress < 1 || maxIdle < 1 || maxBodyBytes < 1) {
            throw new IllegalArgumentException("must be at least 1: maxPending=%d, maxPendingPerAddress=%d, maxIdle=%d, maxBodyBytes=%d"
                    .formatted(maxPending, maxPendingPerAddress, maxIdle, maxBodyBytes));
        }
        if (!requestTimeout.isPositive() || !idleTimeout.isPositive()) {
            throw new IllegalArgumentException(
                    "must be above 0: requestTimeout=" + requestTimeout + ", idleTimeout=" + idleTimeout);
        }
    }

    /** With bodies of 1 MiB at most, and the usual bounds of answers. */
    public HttpLimits(int maxPending, int maxPendingPerAddress, int maxIdle, Duration requestTimeout, Duration idleTimeout) {
        this(maxPending, maxPendingPerAddress, maxIdle, requestTimeout, idleTimeout, MAX_BODY_BYTES, AnswerLimits.DEFAULT);
    }

    /**
     * 10 s for a request, 60 s without one. All WebSockets may be opened at once from one address, with 64 other requests beside
     * them, and four addresses may do that.
     *
     * @param maxConnections WebSockets that may be open
     */
    public static HttpLimits of(int maxConnections) {
        int perAddress = maxConnections + MORE_PENDING;
        return new HttpLimits(
                PENDING_ADDRESSES * perAddress, perAddress, MAX_IDLE, Duration.ofSeconds(10), Duration.ofSeconds(60));
    }
}

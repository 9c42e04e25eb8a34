package dev.tidestream.server.transport;

/**
 * Who may use the admin channel, and how much of it.
 *
 * @param token what every administrator shows
 * @param maxConnections administrators connected at once, beside {@link TransportConfig#maxConnections}
 * @param maxRequests requests under way at once on one connection
 */
public record AdminAccess(AdminToken token, int maxConnections, int maxRequests) {
    private static final int DEFAULT_CONNECTIONS = 16;
    private static final int DEFAULT_REQUESTS = 16;

    public AdminAccess {
        if (maxConnections < 1 || maxRequests < 1) {
            throw new IllegalArgumentException(
                    "must be at least 1: maxConnections=" + maxConnections + ", maxRequests=" + maxRequests);
        }
    }

    /** 16 requests on each of 16 connections. */
    public AdminAccess(AdminToken token) {
        this(token, DEFAULT_CONNECTIONS, DEFAULT_REQUESTS);
    }
}

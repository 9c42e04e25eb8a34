package dev.tidestream.server.transport;

import java.util.function.Consumer;

import dev.tidestream.server.logging.EventLog;

/**
 * Who may use the admin channel, and how much of it.
 *
 * @param token what every administrator shows
 * @param maxConnections administrators connected at once, beside {@link TransportConfig#maxConnections}
 * @param maxRequests requests under way at once on one connection
 * @param limit of wrong tokens
 * @param audit where everything that administrators do is written down, and who was not let in
 * @param refusals told of everybody who was not let in, on the event loop
 */
public record AdminAccess(
        AdminToken token,
        int maxConnections,
        int maxRequests,
        TokenLimit limit,
        EventLog audit,
        Consumer<TokenRefusal> refusals) {
    private static final int DEFAULT_CONNECTIONS = 16;
    private static final int DEFAULT_REQUESTS = 16;

    public AdminAccess {
        if (maxConnections < 1 || maxRequests < 1) {
            throw new IllegalArgumentException(
                    "must be at least 1: maxConnections=" + maxConnections + ", maxRequests=" + maxRequests);
        }
    }

    /** Administrators show this token from now on; who is connected stays. Any thread. */
    public void renew(AdminToken newer) {
        token.become(newer);
    }

    /** 16 requests on each of 16 connections. */
    public AdminAccess(AdminToken token, TokenLimit limit, EventLog audit, Consumer<TokenRefusal> refusals) {
        this(token, DEFAULT_CONNECTIONS, DEFAULT_REQUESTS, limit, audit, refusals);
    }
}

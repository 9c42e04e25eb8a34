package dev.tidestream.server.transport;

import java.util.List;
import java.util.function.Consumer;

import io.vertx.core.http.HttpConnection;

import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.Auth;

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

    /** The way in over HTTP. */
    AdminDoor door(TokenGuard guard, Consumer<HttpConnection> takeOver) {
        return new AdminDoor(
                Auth.of(exchange -> WebSocketEndpoint.isLetIn(exchange, guard.judge(exchange.request(), List.of()))),
                request -> new Caller(null, String.valueOf(request.remoteAddress()), token.fingerprint()),
                takeOver);
    }

    /** 16 requests on each of 16 connections. */
    public AdminAccess(AdminToken token, TokenLimit limit, EventLog audit, Consumer<TokenRefusal> refusals) {
        this(token, DEFAULT_CONNECTIONS, DEFAULT_REQUESTS, limit, audit, refusals);
    }
}

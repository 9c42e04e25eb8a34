package dev.tidestream.server.transport.common;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;

/** Writes down what one client was refused, at the limited rate of {@link EventLog}. Event loop. */
public final class RefusedRequests {
    private final EventLog log;
    private final @Nullable String connection;
    private final String remote;
    private final @Nullable String traceId;

    /**
     * Of a client.
     *
     * @param connection a name that no other connection has; null for plain HTTP
     * @param remote address and port
     * @param traceId of the trace that the request, or that of the connection, belongs to; null if it is of none
     */
    public RefusedRequests(EventLog log, @Nullable String connection, String remote, @Nullable String traceId) {
        this.log = log;
        this.connection = connection;
        this.remote = remote;
        this.traceId = traceId;
    }

    /** A WebSocket's message was refused, or its stream was ended. */
    public void message(String code, @Nullable String id, String message) {
        log.refused(code, () -> EventLine.of("refused").with("code", code).with("connection", connection).with("remote", remote)
                .withText("id", id).withText("message", message).with("trace_id", traceId));
    }

    /** A request was answered with an error. */
    public void http(int status, String code, String method, String path, String message) {
        log.refused("http_" + code, () -> EventLine.of("refused").with("code", code).with("status", status).with("remote", remote)
                .withText("method", method).withText("path", path).withText("message", message).with("trace_id", traceId));
    }
}

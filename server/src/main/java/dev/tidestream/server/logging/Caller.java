package dev.tidestream.server.logging;

import org.jspecify.annotations.Nullable;

/**
 * Who asked for something, as it stands in the log.
 *
 * @param connection a name that no other connection of this process has; null before there is one
 * @param remote address and port
 * @param traceId of the trace that the request, or that of the connection, belongs to; null if it is of none
 * @param token fingerprint of the token that was shown, never the token; null if none was
 */
public record Caller(@Nullable String connection, String remote, @Nullable String traceId, @Nullable String token) {
    /** Of no trace. */
    public Caller(@Nullable String connection, String remote, @Nullable String token) {
        this(connection, remote, null, token);
    }
}

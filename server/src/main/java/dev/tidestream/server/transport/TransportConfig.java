package dev.tidestream.server.transport;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.http.HttpLimits;
import dev.tidestream.server.transport.http.UnixSocket;
import dev.tidestream.server.transport.tls.TlsFiles;

/**
 * Where the server listens and every limit of a connection.
 *
 * @param host address to listen on
 * @param port 0 for a free one; {@link #NO_PORT}: none
 * @param maxMessageBytes largest message; a larger one is refused and the connection goes on
 * @param hardFrameBytes largest WebSocket frame that is read at all; a larger one ends the connection with 1009
 * @param maxTokens largest {@code max_tokens}
 * @param maxConnections WebSockets open at once
 * @param maxStreams streams at once on one connection: running, waiting and parked
 * @param writeQueueBytes unsent bytes at which a connection asks the engine for no more tokens
 * @param windowTokens most tokens asked of the engine in advance, per stream
 * @param recentIds ended streams of a connection that are remembered, so that a late credit or cancel is no error
 * @param pingInterval silence after which a client is pinged
 * @param deadAfter silence after which a client counts as gone; longer than the ping interval
 * @param shutdownGrace how long running streams may go on when the server stops
 * @param http bounds of connections that have not become WebSockets
 * @param sockets bounds of WebSockets beside these
 * @param access hosts and origins
 * @param tls certificate and key of the port; null: no TLS
 * @param unixSocket where it listens, too; null: nowhere
 */
public record TransportConfig(
        String host,
        int port,
        int maxMessageBytes,
        int hardFrameBytes,
        int maxTokens,
        int maxConnections,
        int maxStreams,
        int writeQueueBytes,
        int windowTokens,
        int recentIds,
        Duration pingInterval,
        Duration deadAfter,
        Duration shutdownGrace,
        HttpLimits http,
        SocketLimits sockets,
        AccessRules access,
        @Nullable TlsFiles tls,
        @Nullable UnixSocket unixSocket) {

    /** Of a server that listens on a Unix-domain socket alone. */
    public static final int NO_PORT = -1;

    /** Local only, port 8080, messages up to 1 MiB, 64 streams on each of 256 connections. */
    public static final TransportConfig DEFAULT = new TransportConfig(
            "127.0.0.1",
            8080,
            1 << 20,
            4 << 20,
            1 << 20,
            256,
            64,
            256 << 10,
            32,
            256,
            Duration.ofSeconds(20),
            Duration.ofSeconds(60),
            Duration.ofSeconds(10));

    /** With the usual bounds for HTTP and assembly, and for its own host only. */
    public TransportConfig(
            String host,
            int port,
            int maxMessageBytes,
            int hardFrameBytes,
            int maxTokens,
            int maxConnections,
            int maxStreams,
            int writeQueueBytes,
            int windowTokens,
            int recentIds,
            Duration pingInterval,
            Duration deadAfter,
            Duration shutdownGrace) {
        this(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams, writeQueueBytes, windowTokens,
                recentIds, pingInterval, deadAfter, shutdownGrace, HttpLimits.of(maxConnections),
                SocketLimits.of(maxMessageBytes), AccessRules.OWN, null, null);
    }

    public TransportConfig {
        atLeast("port", port, unixSocket == null ? 0 : NO_PORT);
        atLeast("maxMessageBytes", maxMessageBytes, 1);
        atLeast("hardFrameBytes", hardFrameBytes, maxMessageBytes);
        atLeast("maxTokens", maxTokens, 1);
        atLeast("maxConnections", maxConnections, 1);
        atLeast("maxStreams", maxStreams, 1);
        atLeast("writeQueueBytes", writeQueueBytes, 2);
        atLeast("windowTokens", windowTokens, 1);
        atLeast("recentIds", recentIds, 0);
        atLeast("pingInterval in ms", pingInterval.toMillis(), 1);
        atLeast("deadAfter in ms", deadAfter.toMillis(), pingInterval.toMillis() + 1);
        atLeast("shutdownGrace in ms", shutdownGrace.toMillis(), 0);
        atLeast("sockets.maxAssemblyBytes", sockets.maxAssemblyBytes(), maxMessageBytes);
    }

    /** The same with another address. */
    public TransportConfig withAddress(String newHost, int newPort) {
        return new TransportConfig(newHost, newPort, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, access, tls, unixSocket);
    }

    /** The same with another number of WebSockets open at once. */
    public TransportConfig withMaxConnections(int connections) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, connections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, access, tls, unixSocket);
    }

    /** The same with another time for running streams when the server stops. */
    public TransportConfig withShutdownGrace(Duration grace) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, grace, http, sockets, access, tls, unixSocket);
    }

    /** The same with other bounds of HTTP and of WebSockets. */
    public TransportConfig withLimits(HttpLimits newHttp, SocketLimits newSockets) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, newHttp, newSockets, access,
                tls, unixSocket);
    }

    /** The same for other hosts and origins. */
    public TransportConfig withAccess(AccessRules rules) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, rules, tls, unixSocket);
    }

    /** The same with TLS; null for none. */
    public TransportConfig withTls(@Nullable TlsFiles files) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, access, files, unixSocket);
    }

    /** The same, which listens on a Unix-domain socket, too, or not; and on the port, or not. */
    public TransportConfig withUnixSocket(@Nullable UnixSocket socket, int newPort) {
        return new TransportConfig(host, newPort, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, maxStreams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, access, tls, socket);
    }

    /** Whether it listens on a port. */
    public boolean hasPort() {
        return port != NO_PORT;
    }

    /** The same with another number of streams on one connection. */
    public TransportConfig withMaxStreams(int streams) {
        return new TransportConfig(host, port, maxMessageBytes, hardFrameBytes, maxTokens, maxConnections, streams,
                writeQueueBytes, windowTokens, recentIds, pingInterval, deadAfter, shutdownGrace, http, sockets, access, tls, unixSocket);
    }

    /**
     * This configuration with what of another one a running server can take: WebSockets and requests at once, streams on one
     * connection, bounds and time of HTTP requests, how long an answer may stall, hosts and origins, the grace of a stop.
     */
    public TransportConfig withHotPartsOf(TransportConfig newer) {
        HttpLimits bounds = newer.http();
        // where they are put together stays as large as it is
        int body = (int) Math.min(bounds.maxBodyBytes(), sockets.maxAssemblyBytes());
        return withMaxConnections(newer.maxConnections()).withMaxStreams(newer.maxStreams())
                .withShutdownGrace(newer.shutdownGrace())
                .withAccess(newer.access())
                .withLimits(new HttpLimits(bounds.maxPending(), bounds.maxPendingPerAddress(), http.maxIdle(),
                        bounds.requestTimeout(), http.idleTimeout(), body,
                        http.answers().withStallTimeout(bounds.answers().stallTimeout())), sockets);
    }

    private static void atLeast(String name, long value, long min) {
        if (value < min) {
            throw new IllegalArgumentException(name + " must be at least " + min + ": " + value);
        }
    }
}

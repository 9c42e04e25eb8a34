package dev.tidestream.server.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.transport.http.Handshakes;
import dev.tidestream.server.transport.http.UnixSocket;
import dev.tidestream.server.transport.tls.TlsException;
import dev.tidestream.server.transport.tls.TlsIdentity;
import dev.tidestream.server.transport.tls.WatchedTls;

/**
 * Where a server listens: a port, with TLS or without, a {@link UnixSocket}, which has none, or both. What comes in at either goes the same
 * way. Event loop, but where it says otherwise.
 */
final class Listeners {
    private static final Logger log = LoggerFactory.getLogger(Listeners.class);
    /** Of the system, per socket; it would take 4 MiB of a client that does not read, and tokens would be computed for them. */
    private static final int SEND_BUFFER_BYTES = 128 << 10;

    /** What happens to connections and their requests. */
    record Handlers(Handler<HttpConnection> connections, Handler<HttpServerRequest> requests, Handler<HttpServerRequest> undecoded) {}

    private final Context context;
    private final TransportConfig config;
    private final Handlers handlers;
    private final Handshakes handshakes;
    private volatile @Nullable HttpServer port;
    private @Nullable HttpServer file;
    private volatile int actualPort = -1;

    /** @param handshakes is told of those of the port */
    Listeners(Context context, TransportConfig config, Handlers handlers, Handshakes handshakes) {
        this.context = context;
        this.config = config;
        this.handlers = handlers;
        this.handshakes = handshakes;
    }

    /** No timeouts of Vert.x: those of connections are stricter. */
    static HttpServerOptions options(TransportConfig config) {
        return new HttpServerOptions()
                .setHost(config.host())
                .setPort(Math.max(config.port(), 0))
                .setSendBufferSize(SEND_BUFFER_BYTES)
                .setInitialSettings(new Http2Settings().setMaxConcurrentStreams(config.maxStreams()).setPushEnabled(false))
                .setHttp2ClearTextEnabled(false);
    }

    /** @param identity of the port; null: no TLS */
    Future<?> listen(@Nullable TlsIdentity identity) {
        Future<?> onPort = config.hasPort() ? listenOnPort(identity) : Future.succeededFuture();
        UnixSocket socket = config.unixSocket();
        return socket == null ? onPort : onPort.compose(listening -> listenOn(socket));
    }

    private HttpServer server(HttpServerOptions options) {
        return context.owner().createHttpServer(options)
                .connectionHandler(handlers.connections())
                .requestHandler(handlers.requests())
                .invalidRequestHandler(handlers.undecoded());
    }

    private Future<?> listenOnPort(@Nullable TlsIdentity identity) {
        HttpServerOptions options = options(config);
        if (identity != null) {
            identity.applyTo(options, config.http().requestTimeout());
            options.setSslEngineOptions(new WatchedTls(handshakes::begun, handshakes::ended));
        }
        HttpServer server = server(options);
        port = server;
        return server.listen().onSuccess(listening -> {
            actualPort = listening.actualPort();
            log.info("listening: host={}, port={}", config.host(), actualPort);
        });
    }

    private Future<?> listenOn(UnixSocket socket) {
        return context.executeBlocking(() -> {
            socket.makeFree();
            return socket;
        }).compose(free -> {
            HttpServer server = server(options(config));
            file = server;
            return server.listen(SocketAddress.domainSocketAddress(socket.path().toString()));
        }).compose(listening -> context.executeBlocking(() -> {
            socket.open();
            return socket;
        })).onSuccess(open -> log.info("{}", EventLine.of("listening").withText("unix_socket", socket.path().toString())));
    }

    /** The port; -1 if there is none. Any thread. */
    int actualPort() {
        return actualPort;
    }

    /**
     * Connections that come to the port from now on have another identity. Any thread that may block.
     *
     * @throws TlsException if it cannot be used
     */
    void become(TlsIdentity identity, Duration handshake) throws TlsException {
        HttpServer server = port;
        if (server == null) {
            throw new TlsException("this server has no port");
        }
        try {
            server.updateSSLOptions(identity.options(handshake), true).toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            throw new TlsException("certificate and key cannot be used: " + Reasons.of(e), e);
        }
    }

    /** Listens nowhere any more, and takes the socket's file away. */
    Future<?> close() {
        List<Future<?>> all = new ArrayList<>();
        if (port != null) {
            all.add(port.close());
        }
        if (file != null) {
            all.add(file.close().compose(closed -> context.executeBlocking(this::remove)));
        }
        return Future.join(all);
    }

    private boolean remove() {
        UnixSocket socket = config.unixSocket();
        try {
            if (socket != null) {
                socket.remove();
            }
        } catch (IOException e) { // the next server replaces it
            log.warn("the file of a socket could not be removed: {}: {}", socket, Reasons.of(e));
        }
        return true;
    }
}

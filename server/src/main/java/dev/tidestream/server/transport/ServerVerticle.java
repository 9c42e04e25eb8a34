package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.engine.Engine;

/**
 * Listens for HTTP and WebSockets. An event-loop verticle: everything here runs on one event loop, and so do its connections.
 *
 * <p>Stopping: no new WebSockets, no new streams; running streams have the grace period; then what is left is broken off
 * with {@code shutting_down}, the sockets close with 1001, and the port is free again.
 */
public final class ServerVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(ServerVerticle.class);
    private static final int SPARE_HTTP_CONNECTIONS = 64;
    private static final int CLOSING_TIMEOUT_S = 5;

    private final TransportConfig config;
    private final Engine engine;
    private final BooleanSupplier ready;
    private final Supplier<List<ServedModel>> models;
    private final LongSupplier nanoTime;
    private final Codec codec;
    private final Set<WebSocketSession> sessions = new HashSet<>();

    private @Nullable HttpServer server;
    private int openingWebSockets;
    private final Set<HttpConnection> httpConnections = Collections.newSetFromMap(new IdentityHashMap<>());
    private boolean stopping;
    private volatile int actualPort = -1;

    /**
     * @param ready whether {@code /health/ready} says so; asked on the event loop
     * @param models what {@code /v1/models} lists; asked on the event loop
     */
    public ServerVerticle(
            TransportConfig config, Engine engine, BooleanSupplier ready, Supplier<List<ServedModel>> models) {
        this(config, engine, ready, models, System::nanoTime);
    }

    ServerVerticle(
            TransportConfig config,
            Engine engine,
            BooleanSupplier ready,
            Supplier<List<ServedModel>> models,
            LongSupplier nanoTime) {
        this.config = config;
        this.engine = engine;
        this.ready = ready;
        this.models = models;
        this.nanoTime = nanoTime;
        this.codec = new Codec(new Limits(config.maxMessageBytes(), config.maxTokens()));
    }

    /** The port that the server listens on; -1 before it does. Any thread. */
    public int actualPort() {
        return actualPort;
    }

    @Override
    public Future<?> start() {
        HttpApi api = new HttpApi(() -> !stopping && ready.getAsBoolean(), models, this::hasRoom, this::upgrade);
        vertx.setPeriodic(config.pingInterval().toMillis(), timer -> sessions.forEach(WebSocketSession::keepAlive));
        HttpServer http = vertx.createHttpServer(options());
        server = http;
        return http.connectionHandler(this::onConnection)
                .requestHandler(api::handle)
                .listen()
                .onSuccess(listening -> {
                    actualPort = listening.actualPort();
                    log.info("listening: host={}, port={}", config.host(), actualPort);
                });
    }

    @Override
    public Future<?> stop() {
        stopping = true;
        Promise<Void> drained = Promise.promise();
        long deadline = vertx.setTimer(
                Math.max(1, config.shutdownGrace().toMillis()),
                timer -> new ArrayList<>(sessions).forEach(WebSocketSession::breakOff));
        List<WebSocketSession> open = new ArrayList<>(sessions);
        Future.join(open.stream().map(WebSocketSession::closed).toList()).onComplete(all -> drained.complete());
        open.forEach(WebSocketSession::drain);
        HttpServer http = server;
        return drained.future()
                .onComplete(done -> vertx.cancelTimer(deadline))
                .compose(done -> http == null ? Future.succeededFuture() : http.close());
    }

    private HttpServerOptions options() {
        return new HttpServerOptions()
                .setHost(config.host())
                .setPort(config.port())
                .setHttp2ClearTextEnabled(false)
                .setWebSocketSubProtocols(List.of(Protocol.SUBPROTOCOL))
                .setMaxWebSocketFrameSize(config.hardFrameBytes())
                .setMaxWebSocketMessageSize(config.hardFrameBytes())
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setWebSocketClosingTimeout(CLOSING_TIMEOUT_S)
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                .setIdleTimeout((int) Math.min(Integer.MAX_VALUE, config.deadAfter().toMillis()));
    }

    private void onConnection(HttpConnection connection) {
        if (httpConnections.size() + sessions.size() >= config.maxConnections() + SPARE_HTTP_CONNECTIONS) {
            connection.close();
            return;
        }
        httpConnections.add(connection);
        connection.closeHandler(v -> httpConnections.remove(connection)); // not called once it has become a WebSocket
    }

    private boolean hasRoom() {
        return !stopping && sessions.size() + openingWebSockets < config.maxConnections();
    }

    private void upgrade(HttpServerRequest request) {
        openingWebSockets++;
        request.toWebSocket()
                .onSuccess(socket -> {
                    httpConnections.remove(request.connection());
                    open(socket);
                })
                .onFailure(e -> log.debug("no WebSocket: remote={}", request.remoteAddress(), e))
                .onComplete(done -> openingWebSockets--);
    }

    private void open(ServerWebSocket socket) {
        WebSocketSession session = new WebSocketSession(socket, context, config, codec, engine, nanoTime);
        sessions.add(session);
        session.closed().onComplete(closed -> sessions.remove(session));
        session.run();
        if (stopping) {
            session.drain();
        }
    }
}

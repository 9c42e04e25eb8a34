package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
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
import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.bus.AdminBus;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.logging.EventLog;

/**
 * Listens for HTTP and WebSockets. An event-loop verticle: everything here runs on one event loop, and so do its connections.
 *
 * <p>Stopping: no new WebSockets, no new streams; running streams have the grace period; then what is left is broken off
 * with {@code shutting_down}, the sockets close with 1001, and the port is free again.
 */
public final class ServerVerticle extends VerticleBase {
    private static final Logger log = LoggerFactory.getLogger(ServerVerticle.class);
    private static final int SPARE_HTTP_CONNECTIONS = 64;
    private static final long TELL_SUPPRESSED_MS = TimeUnit.SECONDS.toMillis(10);
    private static final int CLOSING_TIMEOUT_S = 5;

    private final TransportConfig config;
    private final Engine engine;
    private final Supplier<Readiness> readiness;
    private final Supplier<List<ServedModel>> models;
    private final LongSupplier nanoTime;
    private final @Nullable AdminAccess admin;
    private final EventLog refusals = EventLog.of(EventLog.REFUSALS);
    private @Nullable MetricsPage metrics;
    private final Set<HttpConnection> httpConnections = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Sessions> sessions = new ArrayList<>();

    private @Nullable HttpServer server;
    private long lastStreamConnection;
    private boolean stopping;
    private volatile int actualPort = -1;

    /** A server without an admin channel; see the other constructor. */
    public ServerVerticle(
            TransportConfig config, Engine engine, Supplier<Readiness> readiness, Supplier<List<ServedModel>> models) {
        this(config, engine, readiness, models, null, System::nanoTime);
    }

    /**
     * @param readiness what {@code /health/ready} says, unless this verticle is being stopped; asked on the event loop
     * @param models what {@code /v1/models} lists; asked on the event loop
     * @param admin who may use the admin channel, which leads to the {@code AdminVerticle} of the same Vert.x
     */
    public ServerVerticle(
            TransportConfig config,
            Engine engine,
            Supplier<Readiness> readiness,
            Supplier<List<ServedModel>> models,
            AdminAccess admin) {
        this(config, engine, readiness, models, admin, System::nanoTime);
    }

    /** @param admin null for a server without an admin channel */
    ServerVerticle(
            TransportConfig config,
            Engine engine,
            Supplier<Readiness> readiness,
            Supplier<List<ServedModel>> models,
            @Nullable AdminAccess admin,
            LongSupplier nanoTime) {
        this.config = config;
        this.engine = engine;
        this.readiness = readiness;
        this.models = models;
        this.admin = admin;
        this.nanoTime = nanoTime;
    }

    /** The same verticle, showing metrics; before it is deployed. */
    public ServerVerticle showing(MetricsPage page) {
        metrics = page;
        return this;
    }

    /** The port that the server listens on; -1 before it does. Any thread. */
    public int actualPort() {
        return actualPort;
    }

    @Override
    public Future<?> start() {
        HttpApi api = new HttpApi(() -> stopping ? Readiness.STOPPING : readiness.get(), models, metrics, doors(), refusals);
        vertx.setPeriodic(TELL_SUPPRESSED_MS, timer -> refusals.tellSuppressed());
        vertx.setPeriodic(config.pingInterval().toMillis(), timer -> openSessions().forEach(Session::keepAlive));
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
                timer -> openSessions().forEach(Session::breakOff));
        List<Session> open = openSessions();
        Future.join(open.stream().map(Session::closed).toList()).onComplete(all -> drained.complete());
        open.forEach(Session::drain);
        HttpServer http = server;
        return drained.future()
                .onComplete(done -> {
                    vertx.cancelTimer(deadline);
                    refusals.tellSuppressed();
                })
                .compose(done -> http == null ? Future.succeededFuture() : http.close());
    }

    private List<Door> doors() {
        Codec codec = new Codec(new Limits(config.maxMessageBytes(), config.maxTokens()));
        Sessions streaming = new Sessions(
                config.maxConnections(), connection -> new WebSocketSession(connection, context, config, codec, engine,
                        new RefusedRequests(refusals, "s" + ++lastStreamConnection, connection.remote())));
        sessions.add(streaming);
        Door streams = new Door(Protocol.PATH, Protocol.SUBPROTOCOL, null, streaming::hasRoom, streaming::upgrade);
        if (admin == null) {
            return List.of(streams);
        }
        AdminCodec adminCodec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
        AdminBus bus = AdminBus.of(vertx);
        Sessions administrators = new Sessions(
                admin.maxConnections(), connection -> new AdminSession(connection, adminCodec, bus, admin));
        sessions.add(administrators);
        return List.of(streams, new Door(
                AdminProtocol.PATH, AdminProtocol.SUBPROTOCOL, new TokenGuard(admin, nanoTime), administrators::hasRoom, administrators::upgrade));
    }

    private List<Session> openSessions() {
        return sessions.stream().flatMap(s -> s.open.stream()).toList();
    }

    private HttpServerOptions options() {
        return new HttpServerOptions()
                .setHost(config.host())
                .setPort(config.port())
                .setHttp2ClearTextEnabled(false)
                .setWebSocketSubProtocols(List.of(Protocol.SUBPROTOCOL, AdminProtocol.SUBPROTOCOL)) // the doors choose
                .setMaxWebSocketFrameSize(config.hardFrameBytes())
                .setMaxWebSocketMessageSize(config.hardFrameBytes())
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setWebSocketClosingTimeout(CLOSING_TIMEOUT_S)
                .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
                .setIdleTimeout((int) Math.min(Integer.MAX_VALUE, config.deadAfter().toMillis()));
    }

    private void onConnection(HttpConnection connection) {
        int open = httpConnections.size() + sessions.stream().mapToInt(s -> s.open.size()).sum();
        if (open >= sessions.stream().mapToInt(s -> s.limit).sum() + SPARE_HTTP_CONNECTIONS) {
            connection.close();
            return;
        }
        httpConnections.add(connection);
        connection.closeHandler(v -> httpConnections.remove(connection)); // not called once it has become a WebSocket
    }

    /** The open connections of one kind; event loop. */
    private final class Sessions {
        final Set<Session> open = new HashSet<>();
        final int limit;
        private final Function<Connection, Session> create;
        private int opening;

        Sessions(int limit, Function<Connection, Session> create) {
            this.limit = limit;
            this.create = create;
        }

        boolean hasRoom() {
            return !stopping && open.size() + opening < limit;
        }

        void upgrade(HttpServerRequest request) {
            opening++;
            request.toWebSocket()
                    .onSuccess(socket -> {
                        httpConnections.remove(request.connection());
                        open(socket);
                    })
                    .onFailure(e -> log.debug("no WebSocket: remote={}", request.remoteAddress(), e))
                    .onComplete(done -> opening--);
        }

        private void open(ServerWebSocket socket) {
            Session session = create.apply(new Connection(socket, config, nanoTime));
            open.add(session);
            session.closed().onComplete(closed -> open.remove(session));
            session.run();
            if (stopping) {
                session.drain();
            }
        }
    }
}

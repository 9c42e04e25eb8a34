package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.WaitingEngine;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.receipts.ReceiptIssuer;
import dev.tidestream.server.resume.ResumableStreams;
import dev.tidestream.server.transport.common.AssemblyBudget;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.Refusals;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.common.VertxClock;
import dev.tidestream.server.transport.desk.AdapterEndpoints;
import dev.tidestream.server.transport.desk.DeskCalls;
import dev.tidestream.server.transport.endpoint.AdminDoor;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Endpoints;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.endpoint.Sessions;
import dev.tidestream.server.transport.endpoint.Workers;
import dev.tidestream.server.transport.http.Handshakes;
import dev.tidestream.server.transport.http.HostPolicy;
import dev.tidestream.server.transport.http.HttpConnections;
import dev.tidestream.server.transport.http.RequestRules;
import dev.tidestream.server.transport.peer.PeerWire;
import dev.tidestream.server.transport.stream.StreamLimits;
import dev.tidestream.server.transport.tls.TlsException;
import dev.tidestream.server.transport.tls.TlsFiles;
import dev.tidestream.server.transport.tls.TlsIdentity;
import dev.tidestream.server.transport.websocket.Connection;
import dev.tidestream.server.transport.websocket.ConnectionLimits;
import dev.tidestream.server.transport.websocket.InputRate;

/**
 * Listens for HTTP and WebSockets. An event-loop verticle: everything here runs on one event loop, and so do its connections.
 *
 * <p>Stopping: no new WebSockets, no new streams; running streams have the grace period; then what is left is broken off
 * with {@code shutting_down}, the sockets close with 1012, and the port is free again ({@link Drain}).
 */
public final class ServerVerticle extends VerticleBase {
    private static final Duration SWEEP_INTERVAL = Duration.ofSeconds(1);
    private static final Duration TELL_SUPPRESSED = Duration.ofSeconds(10);

    private volatile TransportConfig config;
    private final Engine engine;
    private final Supplier<Readiness> readiness;
    private final Function<Context, EventLoopClock> clocks;
    private final @Nullable AdminAccess admin;
    private final EventLog refusalLog = EventLog.of(EventLog.REFUSALS);
    private @Nullable MetricsPage metrics;
    private @Nullable ResumableStreams resumable;
    private @Nullable ReceiptIssuer receipts;
    private final Refusals refusals = new Refusals();
    private final AssemblyBudget assembly;
    private final List<EndpointFactory> factories = new ArrayList<>();
    private final List<WebSocketWire> wires = new ArrayList<>();
    private final List<PeerWire> peerWires = new ArrayList<>();
    private final List<Sessions> peers = new ArrayList<>(); // of each of these; event loop
    private ApiKeys keys = ApiKeys.notRequired();
    private boolean desk = true; // whether there is one of administrators
    private final Sessions streaming;
    private final @Nullable Sessions administrators;

    private @Nullable EventLoopClock clock;
    private @Nullable RequestRules requestRules;
    private volatile @Nullable Listeners listeners;
    private volatile @Nullable HttpConnections connections;
    private volatile @Nullable InputRate input;
    private long lastStreamConnection;
    private boolean stopping; // event loop

    /** A server without an admin channel; see the other constructor. */
    public ServerVerticle(TransportConfig config, Engine engine, Supplier<Readiness> readiness) {
        this(config, engine, readiness, null, ServerVerticle::realTime);
    }

    /**
     * @param readiness what {@code /health/ready} says, unless this verticle is being stopped; asked on the event loop
     * @param admin who may use the admin channel, which leads to the {@code AdminVerticle} of the same Vert.x
     */
    public ServerVerticle(TransportConfig config, Engine engine, Supplier<Readiness> readiness, AdminAccess admin) {
        this(config, engine, readiness, admin, ServerVerticle::realTime);
    }

    /**
     * @param admin null for a server without an admin channel
     * @param clocks the time of an event loop
     */
    ServerVerticle(
            TransportConfig config,
            Engine engine,
            Supplier<Readiness> readiness,
            @Nullable AdminAccess admin,
            Function<Context, EventLoopClock> clocks) {
        this.config = config;
        this.engine = engine;
        this.readiness = readiness;
        this.admin = admin;
        this.clocks = clocks;
        this.assembly = new AssemblyBudget(config.sockets().maxAssemblyBytes());
        this.streaming = new Sessions(config.maxConnections(), () -> stopping);
        this.administrators = admin == null ? null : new Sessions(admin.maxConnections(), () -> stopping);
    }

    /** The same verticle, showing metrics; before it is deployed. */
    public ServerVerticle showing(MetricsPage page) {
        metrics = page;
        return this;
    }

    /** The same verticle for clients with these keys only; before it is deployed. */
    public ServerVerticle requiring(ApiKeys some) {
        keys = some;
        return this;
    }

    /** The same verticle with more endpoints; before it is deployed. */
    public ServerVerticle serving(EndpointFactory factory) {
        factories.add(factory);
        return this;
    }

    /** The same verticle, with streams that outlive their connections; before it is deployed. */
    public ServerVerticle resuming(ResumableStreams streams) {
        resumable = streams;
        return this;
    }

    /** The same verticle, whose streams have receipts if they ask for them; before it is deployed. */
    public ServerVerticle issuing(ReceiptIssuer issuer) {
        receipts = issuer;
        return this;
    }

    /** The same verticle with one more wire over WebSockets; before it is deployed. */
    public ServerVerticle serving(WebSocketWire wire) {
        wires.add(wire);
        return this;
    }

    /** The same verticle, where administrators are let in over HTTP alone, to what is served there; before it is deployed. */
    public ServerVerticle withoutDesk() {
        desk = false;
        return this;
    }

    /** The same verticle with one more wire for other servers; before it is deployed. */
    public ServerVerticle serving(PeerWire wire) {
        peerWires.add(wire);
        return this;
    }

    /** The port that the server listens on; -1 before it does, and if it has none. Any thread. */
    public int actualPort() {
        Listeners now = listeners;
        return now == null ? -1 : now.actualPort();
    }

    private static EventLoopClock realTime(Context context) {
        return new VertxClock(context.owner());
    }

    /** What is held and was refused. Any thread. */
    public TransportStats stats() {
        HttpConnections http = connections;
        InputRate rate = input;
        return new TransportStats(
                streaming.count(),
                administrators == null ? 0 : administrators.count(),
                http == null ? 0 : http.pending(),
                http == null ? 0 : http.idle(),
                assembly.heldBytes(),
                assembly.limitBytes(),
                rate == null ? 0 : rate.pauses(),
                refusals.snapshot());
    }

    /**
     * Reads certificate and key anew; connections from then on have them. Any thread that may block.
     *
     * @return the identity that they are
     * @throws TlsException if they are of no use; those of before stay
     */
    public TlsIdentity renewTls() throws TlsException {
        TlsFiles files = config.tls();
        Listeners now = listeners;
        if (files == null || now == null) {
            throw new TlsException("this server has no TLS");
        }
        TlsIdentity identity = TlsIdentity.read(files);
        now.become(identity, config.http().requestTimeout());
        return identity;
    }

    /**
     * Takes what a running server can take of a configuration: {@link TransportConfig#withHotPartsOf}. New connections and
     * requests have it, WebSockets that are open keep what they began with. Any thread.
     *
     * @return completes when it is in force
     */
    public Future<Void> reconfigure(TransportConfig newer) {
        Promise<Void> done = Promise.promise();
        context.runOnContext(v -> {
            config = config.withHotPartsOf(newer);
            streaming.limit(config.maxConnections());
            HttpConnections plain = connections;
            RequestRules rules = requestRules;
            if (plain != null && rules != null) {
                plain.limits(config.http());
                rules.policy(policy());
            }
            done.complete();
        });
        return done.future();
    }

    @Override
    public Future<?> start() {
        TlsFiles files = config.tls();
        return files == null || !config.hasPort() ? listen(null) : context.executeBlocking(() -> TlsIdentity.read(files)).compose(this::listen);
    }

    private Future<?> listen(@Nullable TlsIdentity identity) {
        EventLoopClock now = clocks.apply(context);
        clock = now;
        RequestRules rules = new RequestRules(policy(), refusals);
        requestRules = rules;
        tellSuppressed(now);
        sweep(now);
        HttpConnections plain = new HttpConnections(config.http(), Listeners.options(config), now, refusals);
        connections = plain;
        Endpoints endpoints = new Endpoints(vertx, endpoints(now, plain), rules, assembly, refusals, refusalLog, keys,
                text -> admin != null && admin.token().matches(text));
        Listeners all = new Listeners(context, config, new Listeners.Handlers(plain::opened, request -> {
            if (plain.requested(request)) {
                endpoints.handle(request);
            }
        }, rules::refuseUndecoded), new Handshakes(() -> config.http(), refusals));
        listeners = all;
        return all.listen(identity);
    }

    @Override
    public Future<?> stop() {
        stopping = true;
        Listeners all = listeners;
        HttpConnections plain = connections;
        EventLoopClock now = clock;
        if (all == null || plain == null || now == null) {
            return Future.succeededFuture(); // never started
        }
        plain.drain(config.shutdownGrace());
        return new Drain(this::openSessions, config.shutdownGrace(), now).run()
                .compose(drained -> {
                    refusalLog.tellSuppressed();
                    plain.abortAll(); // one that does not read would not be closed otherwise
                    return all.close();
                });
    }

    /** Writes down, every while, how many refusals were not written down one by one. */
    private void tellSuppressed(EventLoopClock now) {
        now.after(TELL_SUPPRESSED, () -> {
            if (!stopping) {
                refusalLog.tellSuppressed();
                tellSuppressed(now);
            }
        });
    }

    /** Gives up streams that nobody has come back for. */
    private void sweep(EventLoopClock now) {
        ResumableStreams streams = resumable;
        if (streams != null && !stopping) {
            now.after(SWEEP_INTERVAL, () -> {
                streams.sweep();
                sweep(now);
            });
        }
    }

    private List<Endpoint> endpoints(EventLoopClock now, HttpConnections plain) {
        List<Endpoint> endpoints = new ArrayList<>(Probes.endpoints(() -> stopping ? Readiness.STOPPING : readiness.get(), metrics));
        ConnectionLimits limits = new ConnectionLimits(config.hardFrameBytes(), config.writeQueueBytes(), config.pingInterval(),
                config.deadAfter(), config.sockets().closeTimeout(), config.sockets().answerGrace());
        InputRate rate = new InputRate(config.sockets().maxInputBytesPerSecond(), now::nanoTime);
        input = rate;
        endpoints.add(streamEndpoint(limits, rate, now, plain).endpoint());
        Optional<AdminDoor> door = Optional.empty();
        if (admin != null && administrators != null) {
            TokenGuard guard = new TokenGuard(admin, text -> keys.find(text).isPresent(), now::nanoTime);
            door = Optional.of(admin.door(guard, plain::left));
            if (desk) {
                endpoints.add(adminEndpoint(admin, administrators, limits, now, plain).endpoint(guard));
                DeskCalls calls = new DeskCalls(vertx, admin.token().fingerprint(), admin.maxRequests());
                endpoints.addAll(new AdapterEndpoints(calls).endpoints(WebSocketEndpoint.auth(guard)));
            }
        }
        EndpointFactory.Loop loop = new EndpointFactory.Loop(context, now, streaming, this::limits, config.http().answers(),
                new AnswerMemory(config.http().answers().maxBytesOfAll()), new Workers(context, config.http().answers().maxWork()),
                () -> stopping, door);
        wires.forEach(wire -> endpoints.add(wireEndpoint(wire, loop, limits, rate, plain).endpoint()));
        peerWires.forEach(wire -> endpoints.add(peerEndpoint(wire, loop, limits, plain)));
        factories.forEach(factory -> endpoints.addAll(factory.endpoints(loop)));
        return endpoints;
    }

    private EndpointFactory.Limits limits() {
        TransportConfig c = config;
        return new EndpointFactory.Limits(new StreamLimits(c.maxStreams(), c.maxTokens(), c.writeQueueBytes(), c.windowTokens(),
                c.http().answers().keepAlive()),
                c.http().maxBodyBytes());
    }

    private HostPolicy policy() {
        return new HostPolicy(config.host(), config.access().hosts(), config.access().origins());
    }

    private WebSocketEndpoint streamEndpoint(ConnectionLimits limits, InputRate rate, EventLoopClock now, HttpConnections plain) {
        Codec codec = new Codec(new Limits(config.maxMessageBytes(), config.maxTokens()));
        StreamSources sources = new StreamSources(
                receipts == null ? engine : new WaitingEngine(engine, receipts::ready), resumable, receipts);
        return new WebSocketEndpoint(Protocol.PATH, Protocol.SUBPROTOCOL, true, streaming, (exchange, socket) -> {
            Connection connection =
                    new Connection(socket, config.maxMessageBytes(), limits, assembly, rate.meter(), now, refusals);
            RefusedRequests refused = new RefusedRequests(refusalLog, "s" + ++lastStreamConnection, connection.remote(),
                    exchange.trace().traceId());
            return new WebSocketSession(connection, context, config, codec, sources, refused, exchange.account(), exchange.trace());
        }, plain::left);
    }

    private WebSocketEndpoint wireEndpoint(
            WebSocketWire wire, EndpointFactory.Loop loop, ConnectionLimits limits, InputRate rate, HttpConnections plain) {
        return new WebSocketEndpoint(wire.path(), wire.subprotocol(), false, streaming, (exchange, socket) -> {
            int maxMessageBytes = loop.maxBodyBytes(); // now; a running server may be given another
            Connection connection = new Connection(socket, maxMessageBytes,
                    limits.withMaxFrameBytes(Math.max(limits.maxFrameBytes(), maxMessageBytes)), assembly, rate.meter(),
                    loop.clock(), refusals);
            RefusedRequests refused = new RefusedRequests(refusalLog, "s" + ++lastStreamConnection, connection.remote(), exchange.trace().traceId());
            return wire.sessions().open(connection, loop, exchange.account(), refused, exchange.trace());
        }, plain::left);
    }

    private Endpoint peerEndpoint(PeerWire wire, EndpointFactory.Loop loop, ConnectionLimits limits, HttpConnections plain) {
        Sessions sessions = new Sessions(wire.maxConnections(), () -> stopping);
        peers.add(sessions);
        return new WebSocketEndpoint(wire.path(), wire.subprotocol(), true, sessions, (exchange, socket) -> wire.sessions().open(
                new Connection(socket, wire.maxMessageBytes(), limits.withMaxFrameBytes(wire.maxMessageBytes()), assembly, null,
                        loop.clock(), refusals), loop), plain::left).endpoint(wire.auth());
    }

    private WebSocketEndpoint adminEndpoint(
            AdminAccess access, Sessions admins, ConnectionLimits limits, EventLoopClock now, HttpConnections plain) {
        AdminCodec codec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
        AdminBus bus = AdminBus.of(vertx);
        return new WebSocketEndpoint(AdminProtocol.PATH, AdminProtocol.SUBPROTOCOL, true, admins, (exchange, socket) -> new AdminSession(
                new Connection(socket, AdminProtocol.MAX_REQUEST_CHARS, limits, assembly, null, now, refusals), codec, bus, access,
                exchange.trace().traceId()),
                plain::left);
    }

    private List<Session> openSessions() {
        List<Session> open = new ArrayList<>(streaming.all());
        peers.forEach(some -> open.addAll(some.all()));
        if (administrators != null) {
            open.addAll(administrators.all());
        }
        return open;
    }
}

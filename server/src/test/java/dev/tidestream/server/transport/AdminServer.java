package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

import dev.tidestream.server.admin.channel.AdminVerticle;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.VertxClock;

/** A server with an admin channel on a free port, and a fake desk behind it. */
final class AdminServer implements AutoCloseable {
    static final String TOKEN = "Tr0ub4dor-and-3.more_words~of~it";
    /** Longer than the grace period of a stop. */
    static final int PATIENCE_S = 90;
    static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, 4096, 4 << 20, 100, 4, 4, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));

    /** Tests show thousands of wrong tokens. */
    static final TokenLimit ANY_NUMBER = new TokenLimit(1_000_000, 1_000_000, 1);
    static final EventLog AUDIT = EventLog.of(EventLog.AUDIT);

    final FakeDesk desk = new FakeDesk();
    /** The clock of progress; stands still. */
    final AtomicLong nowNs = new AtomicLong();
    /** How often the desk's verticle has looked at it, which it does after each chunk; {@link FakeDesk#await} sees it. */
    final AtomicInteger looksAtClock = new AtomicInteger();
    private final ScriptedEngine engine = new ScriptedEngine();
    private final Vertx vertx = Vertx.vertx();
    private final ServerVerticle verticle;
    private final String serverId;
    private final String deskId;
    private boolean serverStopped;
    private boolean deskStopped;

    AdminServer() throws Exception {
        this(CONFIG, 4, 8);
    }

    AdminServer(TransportConfig config, int maxConnections, int maxRequests) throws Exception {
        this(config, maxConnections, maxRequests, context -> new VertxClock(context.owner()));
    }

    /** @param clock the time of connections, a {@link ManualClock} say */
    AdminServer(TransportConfig config, int maxConnections, int maxRequests, Function<Context, EventLoopClock> clock)
            throws Exception {
        this(config, new AdminAccess(AdminToken.of(TOKEN), maxConnections, maxRequests, ANY_NUMBER, AUDIT, why -> {}), clock);
    }

    /** @param clock the time of connections, and of wrong tokens */
    AdminServer(TransportConfig config, AdminAccess access, Function<Context, EventLoopClock> clock) throws Exception {
        this(config, access, clock, ApiKeys.notRequired());
    }

    /** @param keys of clients */
    AdminServer(TransportConfig config, AdminAccess access, Function<Context, EventLoopClock> clock, ApiKeys keys) throws Exception {
        verticle = new ServerVerticle(config, engine, () -> Readiness.READY, access, clock).requiring(keys);
        serverId = vertx.deployVerticle(verticle).await(PATIENCE_S, TimeUnit.SECONDS);
        AdminVerticle deskVerticle = new AdminVerticle(desk, access.audit(), 4, Duration.ofMillis(500), this::look);
        deskId = vertx.deployVerticle(deskVerticle).await(PATIENCE_S, TimeUnit.SECONDS);
    }

    private long look() {
        long seenNs = nowNs.get();
        looksAtClock.incrementAndGet();
        desk.changed();
        return seenNs;
    }

    int port() {
        return verticle.actualPort();
    }

    AdminClient client() {
        return new AdminClient(port(), TOKEN);
    }

    /** A WebSocket by hand that shows the token. */
    RawSocket raw() throws Exception {
        return new RawSocket(port(), "GET /v1/admin",
                "Authorization: Bearer " + TOKEN + "\r\nSec-WebSocket-Protocol: tidestream.admin.v1\r\n");
    }

    Future<Void> stopServer() {
        serverStopped = true;
        return vertx.undeploy(serverId);
    }

    Future<Void> stopDesk() {
        deskStopped = true;
        return vertx.undeploy(deskId);
    }

    @Override
    public void close() throws TimeoutException {
        desk.openGate();
        if (!serverStopped) {
            stopServer().await(PATIENCE_S, TimeUnit.SECONDS);
        }
        if (!deskStopped) {
            stopDesk().await(PATIENCE_S, TimeUnit.SECONDS);
        }
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
        engine.close();
    }
}

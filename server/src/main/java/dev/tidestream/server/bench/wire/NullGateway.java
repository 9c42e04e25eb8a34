package dev.tidestream.server.bench.wire;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.vertx.core.Vertx;

import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.ModelIdentity;
import dev.tidestream.server.cluster.NodeRole;
import dev.tidestream.server.cluster.gateway.RegistryFleet;
import dev.tidestream.server.cluster.gateway.RelayTiming;
import dev.tidestream.server.cluster.gateway.RemoteEngine;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.cluster.route.PrefixChain;
import dev.tidestream.server.cluster.route.RouteWeights;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.http.HttpLimits;

/**
 * A gateway before {@link NullServer}s: router, links and wires are the real ones, the registry is not there; what workers say of
 * themselves is told by hand. On the loopback, at a free port.
 */
final class NullGateway implements AutoCloseable {
    private static final ModelIdentity IDENTITY = new ModelIdentity("null", "null", "none");
    private static final long REPORT_MS = 500;
    private static final String SECRET = "of a cluster that is one process";

    private final Map<String, NullServer> workers;
    private final int slots;
    private final Vertx vertx = Vertx.vertx();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().daemon().name("bench-gateway-timer").unstarted(task));
    private final RegistryFleet fleet;
    private final RemoteEngine engine;
    private final ServerVerticle verticle;
    private final AtomicLong reports = new AtomicLong();

    /** Whom the gateway expects at a worker of that name. */
    static WorkerFrame.Hello hello(String name) {
        return new WorkerFrame.Hello(name, IDENTITY.text());
    }

    /**
     * Connects to all workers.
     *
     * @param workers by name
     * @param slots of each
     * @param streams at once, each on a connection of its own
     * @throws TimeoutException if a worker cannot be reached within a minute
     */
    NullGateway(Map<String, NullServer> workers, int slots, int streams) throws TimeoutException {
        this.workers = Map.copyOf(workers);
        this.slots = slots;
        ClusterConfig config = new ClusterConfig(EnumSet.of(NodeRole.GATEWAY), "gateway", "127.0.0.1", 0, List.of(), SECRET);
        fleet = new RegistryFleet(vertx, config, IDENTITY, null, NullServer.MESSAGE_BYTES);
        NullTokenizer tokenizer = new NullTokenizer();
        RemoteEngine.PromptBlocks blocks = (request, version) -> request.prompt() == null ? new long[0]
                : new PrefixChain(IDENTITY.text(), version, null).blocks(tokenizer.encode(request.prompt(), true, false));
        engine = new RemoteEngine(fleet, new Router(RouteWeights.DEFAULT), blocks, Runnable::run, RelayTiming.DEFAULT, timer,
                System::nanoTime);
        fleet.serve(engine);
        int connections = 2 * streams; // those of the round before may not have closed yet
        TransportConfig open = TransportConfig.DEFAULT.withAddress("127.0.0.1", 0).withMaxConnections(connections);
        verticle = new ServerVerticle(open.withLimits(HttpLimits.of(connections), open.sockets()), engine, () -> Readiness.READY);
        report();
        awaitWorkers();
        var _ = timer.scheduleAtFixedRate(this::report, REPORT_MS, REPORT_MS, TimeUnit.MILLISECONDS);
        vertx.deployVerticle(verticle).await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
    }

    private void report() {
        fleet.seen(workers.entrySet().stream().map(worker -> state(worker.getKey(), worker.getValue())).toList());
    }

    private NodeState state(String name, NullServer worker) {
        EngineStats stats = worker.stats();
        double kvUse = Math.clamp((double) stats.kvUsedBytes() / Math.max(1, stats.kvBudgetBytes()), 0, 1);
        return new NodeState(name, 1, reports.incrementAndGet(), "http://127.0.0.1:" + worker.port(), EnumSet.of(NodeRole.WORKER), IDENTITY,
                new NodeState.Load(slots, stats.running(), stats.queued(), kvUse, 0), new NodeState.Weights(1, 1, Set.of(1L), Set.of()),
                Set.of(), false, "bench");
    }

    private void awaitWorkers() throws TimeoutException {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(NullServer.PATIENCE_S);
        while (fleet.reachable() < workers.size()) {
            if (System.nanoTime() > endNs) {
                throw new TimeoutException("workers cannot be reached: reached=%d of %d".formatted(fleet.reachable(), workers.size()));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    int port() {
        return verticle.actualPort();
    }

    @Override
    public void close() throws TimeoutException {
        timer.shutdownNow();
        engine.close();
        fleet.close();
        vertx.close().await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
    }
}

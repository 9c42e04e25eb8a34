package dev.tidestream.server.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.cluster.gateway.RegistryFleet;
import dev.tidestream.server.cluster.gateway.RelayTiming;
import dev.tidestream.server.cluster.gateway.RemoteEngine;
import dev.tidestream.server.cluster.gateway.TokenizedBlocks;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.cluster.route.RouteWeights;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.cluster.worker.StreamsEndpoint;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.endpoint.Auth;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** Two workers of the starter model, each with its own port, and a gateway over them, told of nodes by hand: all but the registry is real. */
public final class RelayFixture implements AutoCloseable {
    static final ModelIdentity IDENTITY = new ModelIdentity("file", "prompts", "int8/f32/f16");
    private static final int PATIENCE_S = 30;
    private static final String SECRET = "a secret of sixteen";

    final List<Node> nodes = new ArrayList<>();
    final RegistryFleet fleet;
    final RemoteEngine engine;
    private final Vertx vertx = Vertx.vertx();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private long report;

    /** A worker behind a proxy. */
    final class Node implements AutoCloseable {
        final String name;
        final ModelRuntime running;
        final Vertx own = Vertx.vertx();
        final ServerVerticle verticle;
        final Proxy proxy;
        private @Nullable String deployment;

        Node(String name, ModelRuntime running) {
            this.name = name;
            this.running = running;
            TransportConfig transport = TransportConfig.DEFAULT.withAddress("127.0.0.1", 0).withShutdownGrace(Duration.ofSeconds(20));
            verticle = new ServerVerticle(transport, running.engine(), () -> Readiness.READY).serving(StreamsEndpoint.wire(running.engine(),
                    new WorkerFrame.Hello(name, IDENTITY.text()), Auth.ANY_HOST, 1 << 20, 64));
            deployment = own.deployVerticle(verticle).await();
            proxy = new Proxy(vertx, verticle.actualPort());
        }

        /** Lets its connections end; does not wait. */
        Future<Void> drain() {
            String id = Objects.requireNonNull(deployment);
            deployment = null;
            return own.undeploy(id);
        }

        NodeState state() {
            return new NodeState(name, 1, ++report, "http://127.0.0.1:" + proxy.port(), EnumSet.of(NodeRole.WORKER), IDENTITY,
                    new NodeState.Load(4, running.stats().running(), running.stats().queued(), 0, 0),
                    new NodeState.Weights(running.weightsVersion(), running.weightsVersion(), held(), Set.of()),
                    Set.of(), false, "test");
        }

        private Set<Long> held() {
            return running.epochs().live().stream().map(EpochStatus::weightsVersion).collect(Collectors.toSet());
        }

        @Override
        public void close() {
            proxy.close();
            own.close().await();
        }
    }

    /** What workers run; started once for many fixtures. */
    public static List<ModelRuntime> workers(int count) {
        ServerConfig config = ServerConfig.DEFAULT.withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(64L << 20).withMaxSequences(4))
                .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1));
        List<ModelRuntime> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            workers.add(ModelRuntime.start(config, StartListener.NONE));
        }
        return workers;
    }

    /** @param workers the caller's; nobody streams there */
    public RelayFixture(List<ModelRuntime> workers, Duration silence, Duration failover) {
        for (ModelRuntime worker : workers) {
            nodes.add(new Node("w" + nodes.size(), worker));
        }
        ModelRuntime first = nodes.getFirst().running;
        ClusterConfig cluster = new ClusterConfig(EnumSet.of(NodeRole.GATEWAY), "g", "127.0.0.1", 0, List.of(), SECRET)
                .withTimeouts(silence, failover);
        fleet = new RegistryFleet(vertx, cluster, IDENTITY, null, 1 << 20);
        engine = new RemoteEngine(fleet, new Router(RouteWeights.DEFAULT),
                new TokenizedBlocks(first.tokenizer(), ChatPrompts.of(first.chat()), "model"), Runnable::run,
                RelayTiming.DEFAULT.withFailover(failover), timer, System::nanoTime);
        fleet.serve(engine);
        tellStates();
        await(() -> fleet.reachable() == workers.size());
    }

    /** Tells the gateway what nodes say now. */
    void tellStates() {
        fleet.seen(nodes.stream().map(Node::state).toList());
    }

    /** The worker that has streams; of several the first. */
    Node busy() {
        return nodes.stream().filter(node -> node.running.stats().running() + node.running.stats().streams().parked() > 0).findFirst().orElseThrow();
    }

    static void await(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadlineNs, "it has not come to be");
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        engine.close();
        fleet.close();
        nodes.forEach(Node::close);
        timer.shutdownNow();
        vertx.close().await();
    }
}

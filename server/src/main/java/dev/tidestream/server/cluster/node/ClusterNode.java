package dev.tidestream.server.cluster.node;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.ModelIdentity;
import dev.tidestream.server.cluster.NodeRole;
import dev.tidestream.server.cluster.follow.NodeLog;
import dev.tidestream.server.cluster.gateway.LocalWorker;
import dev.tidestream.server.cluster.gateway.RegistryFleet;
import dev.tidestream.server.cluster.gateway.RelayCounters;
import dev.tidestream.server.cluster.gateway.RelayTiming;
import dev.tidestream.server.cluster.gateway.RemoteEngine;
import dev.tidestream.server.cluster.registry.ClusterManagers;
import dev.tidestream.server.cluster.registry.HazelcastManagers;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.cluster.registry.Registry;
import dev.tidestream.server.cluster.registry.VertxRegistry;
import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.route.RouteWeights;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.cluster.worker.StreamsEndpoint;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.peer.PeerWire;

/**
 * This process as a node of a cluster: from when it has joined, which it may not with another model than the others have, until it is
 * closed. Any thread.
 *
 * <p>The order of an end is: {@link #draining} tells the others; then the server lets its connections end, and gateways take their streams
 * away; then {@link #close}.
 */
public final class ClusterNode implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterNode.class);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(1500); // some beats
    private static final int MAX_PROMPTS = 256; // that wait to be hashed for the router

    private final ClusterConfig config;
    private final Parts parts;
    private final long run = new SecureRandom().nextLong(Long.MAX_VALUE);
    private final AtomicLong report = new AtomicLong();
    private final Vertx vertx;
    private final ScheduledExecutorService timer;
    private final ThreadPoolExecutor hashing;
    private final RegistryFleet fleet;
    private final RemoteEngine remote;
    private final Registry registry;
    private volatile String url = "";
    private volatile boolean draining;
    private volatile boolean closed;

    /**
     * What a node is made of.
     *
     * @param identity of what it computes with, or has prompts made for
     * @param local the engine of this process; null if it is no worker
     * @param state what that has to say
     * @param blocks of prompts, for the router
     * @param maxMessageBytes largest message between nodes
     * @param program version of the program
     * @param log of weight versions; null if the cluster has none
     */
    public record Parts(ModelIdentity identity, @Nullable Engine local, LocalState state, RemoteEngine.PromptBlocks blocks, int maxMessageBytes,
            String program, @Nullable NodeLog log) {}

    private ClusterNode(ClusterConfig config, Parts parts, ClusterManagers managers) {
        this.config = config;
        this.parts = parts;
        this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(Math.min(2, Runtime.getRuntime().availableProcessors()))
                .setFileSystemOptions(new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        this.timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().name("tidestream-relay").daemon().factory());
        this.hashing = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_PROMPTS),
                Thread.ofPlatform().name("tidestream-route").daemon().factory());
        Engine local = config.is(NodeRole.WORKER) ? parts.local() : null;
        this.fleet = new RegistryFleet(vertx, config, parts.identity(), local == null ? null : new LocalWorker(config.nodeId(), local),
                parts.maxMessageBytes());
        this.remote = new RemoteEngine(fleet, new Router(RouteWeights.DEFAULT), parts.blocks(), hashing,
                RelayTiming.DEFAULT.withFailover(config.failoverTimeout()), timer, System::nanoTime);
        fleet.serve(remote);
        boolean joined = false;
        try {
            registry = VertxRegistry.join(managers, new ClusterManagers.Membership(clusterName(config.secret()), config.registryHost(),
                    config.registryPort(), config.peers()), this::state, config.maxNodes());
            joined = true;
        } catch (IllegalStateException e) {
            throw new ClusterJoinException(String.valueOf(e.getMessage()), e);
        } finally {
            if (!joined) {
                closeRest();
            }
        }
    }

    /**
     * Joins; says nothing of itself before {@link #ready}. Waits.
     *
     * @throws ClusterJoinException if the cluster cannot be reached, or has another model; the message has both values
     */
    public static ClusterNode join(ClusterConfig config, Parts parts) {
        ClusterNode node = new ClusterNode(config, parts, new HazelcastManagers());
        boolean fits = false;
        try {
            node.requireFits(node.registry.nodes());
            fits = true;
            return node;
        } finally {
            if (!fits) {
                node.close();
            }
        }
    }

    private void requireFits(List<NodeState> others) {
        for (NodeState other : others) {
            if (other.node().equals(config.nodeId())) {
                requireGone(other);
                continue;
            }
            if (!other.identity().equals(parts.identity())) {
                throw new ClusterJoinException("this node would make other tokens than the cluster does: node=%s has %s; this node %s has %s"
                        .formatted(other.node(), other.identity(), config.nodeId(), parts.identity()));
            }
        }
    }

    /** One that was killed a moment ago is still named, and says nothing new. */
    private void requireGone(NodeState former) {
        try {
            Thread.sleep(LOOK_AGAIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClusterJoinException("interrupted while joining", e);
        }
        boolean lives = registry.look().stream()
                .anyMatch(other -> other.node().equals(former.node()) && (other.report() != former.report() || other.run() != former.run()));
        if (lives) {
            throw new ClusterJoinException("a node of this name is there already: node_id=%s, url=%s".formatted(former.node(), former.url()));
        }
    }

    /** Nodes that do not know the secret look for a cluster of another name. It is no protection of the registry's port. */
    private static String clusterName(String secret) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(("tidestream registry " + secret).getBytes(StandardCharsets.UTF_8));
            return "tidestream-" + HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /**
     * Others may have streams computed here, or know that clients are answered here.
     *
     * @param found where they find this node's HTTP port
     */
    public void ready(String found) {
        url = config.url() == null ? found : config.url();
        fleet.seen(List.of(state())); // it knows itself before the registry does
        registry.onBeat(this::seen);
        registry.beatNow();
        log.info("node is there: node={}, roles={}, url={}", config.nodeId(), config.roles(), url);
    }

    private void seen(List<NodeState> nodes) {
        fleet.seen(nodes);
        parts.state().needed(nodes.stream().filter(node -> !node.node().equals(config.nodeId()))
                .flatMap(node -> node.weights().pinned().stream()).collect(Collectors.toSet()));
    }

    /** What this node says of itself. */
    private NodeState state() {
        LocalState local = parts.state();
        NodeState.Load load = local.load();
        return new NodeState(config.nodeId(), run, report.incrementAndGet(), url, config.roles(), parts.identity(),
                new NodeState.Load(load.slots(), load.running(), load.waiting(), load.kvUse(), remote.counters().running()), local.weights(),
                local.adapters(), draining || !local.sound(), parts.program());
    }

    /** What clients of this node are served by. */
    public Engine engine() {
        return config.is(NodeRole.GATEWAY) ? remote : new NoClients(config.nodeId());
    }

    /** Where gateways ask this node for streams; empty if it is no worker. */
    public Optional<PeerWire> wire() {
        Engine local = parts.local();
        return !config.is(NodeRole.WORKER) || local == null ? Optional.empty()
                : Optional.of(StreamsEndpoint.wire(local, new WorkerFrame.Hello(config.nodeId(), parts.identity().text()),
                        SecretAuth.of(config.secret()), parts.maxMessageBytes(), config.maxStreams()));
    }

    /** What administrators may ask for. */
    public EndpointFactory endpoints() {
        return new ClusterEndpoints(this);
    }

    /** How it takes part. */
    public ClusterConfig config() {
        return config;
    }

    /** What all nodes have last said of themselves. */
    public List<NodeState> states() {
        return fleet.states();
    }

    /** Workers that take streams of this gateway. */
    public List<String> reachableWorkers() {
        return fleet.nodes().stream().map(NodeView::node).sorted().toList();
    }

    /** The version of the weights that new streams begin with. */
    public long publishedVersion() {
        return fleet.publishedVersion();
    }

    /** The log of weight versions; empty if the cluster has none. */
    public Optional<NodeLog> log() {
        return Optional.ofNullable(parts.log());
    }

    /** What was relayed. */
    public RelayCounters counters() {
        return remote.counters();
    }

    /** It is going to be closed: no more streams are to come here. */
    public void draining() {
        if (!draining) {
            draining = true;
            registry.beatNow();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        registry.close();
        parts.state().close();
        closeRest();
    }

    private void closeRest() {
        remote.close();
        fleet.close();
        hashing.shutdownNow();
        timer.shutdownNow();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}

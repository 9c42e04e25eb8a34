package dev.tidestream.server.cluster.gateway;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.ModelIdentity;
import dev.tidestream.server.cluster.NodeRole;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.wire.ClusterCodec;

/**
 * The workers that the registry names: a link to each that is on another node, for as long as it is there. The registry says how busy they
 * are; the links say which can be reached. A worker with another model, or another precision, gets no link, and is named in the log once.
 * Any thread.
 */
public final class RegistryFleet implements Fleet, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RegistryFleet.class);

    private final Vertx vertx;
    private final WebSocketClient client;
    private final ClusterConfig config;
    private final ModelIdentity identity;
    private final @Nullable Worker local;
    private final ClusterCodec codec;
    private final int maxMessageBytes;
    private final Map<String, WorkerLink> links = new HashMap<>(); // by node, guarded by this
    private final Map<String, Long> runs = new HashMap<>(); // of nodes, guarded by this
    private final Set<String> strangers = new HashSet<>(); // told of once, guarded by this
    private volatile List<NodeState> states = List.of();
    private volatile Map<String, WorkerLink> linked = Map.of(); // a copy for readers
    private volatile long published;
    private volatile @Nullable RemoteEngine engine;
    private boolean closed; // guarded by this

    /**
     * One that knows nobody.
     *
     * @param vertx that connections live on; stays the caller's
     * @param identity of workers that may have streams
     * @param local the worker of this process; null if it is none
     * @param maxMessageBytes largest message of a worker
     */
    public RegistryFleet(Vertx vertx, ClusterConfig config, ModelIdentity identity, @Nullable Worker local, int maxMessageBytes) {
        this.vertx = vertx;
        this.config = config;
        this.identity = identity;
        this.local = local;
        this.maxMessageBytes = maxMessageBytes;
        PartyNames names = new PartyNames(config.nodeId());
        this.codec = new ClusterCodec(maxMessageBytes, names::of);
        this.client = vertx.createWebSocketClient(new WebSocketClientOptions().setMaxFrameSize(maxMessageBytes)
                .setMaxMessageSize(maxMessageBytes).setConnectTimeout((int) config.workerTimeout().toMillis()).setTcpNoDelay(true));
    }

    /** Has this engine told of what becomes of workers; once, before {@link #seen}. */
    public void serve(RemoteEngine over) {
        engine = over;
    }

    /** What the registry says now. */
    public synchronized void seen(List<NodeState> nodes) {
        if (closed) {
            return;
        }
        states = withSilent(nodes);
        Set<String> wanted = new HashSet<>();
        for (NodeState node : nodes) {
            if (node.is(NodeRole.WORKER) && isOurs(node)) {
                forgetIfNew(node);
                if (!node.node().equals(config.nodeId())) {
                    wanted.add(node.node());
                    link(node);
                }
            }
        }
        for (Map.Entry<String, WorkerLink> known : List.copyOf(links.entrySet())) {
            if (!wanted.contains(known.getKey()) && !known.getValue().isUp()) {
                drop(known.getKey());
            }
        }
        linked = Map.copyOf(links);
        runs.keySet().retainAll(nodes.stream().map(NodeState::node).collect(Collectors.toSet()));
        publish();
    }

    /** Who has applied a version may say so later than others that it is published. */
    private synchronized void publish() {
        long newest = states.stream().mapToLong(node -> node.weights().published()).max().orElse(0);
        long applied = nodes().stream().mapToLong(NodeView::appliedVersion).max().orElse(0);
        long version = Math.min(newest, applied);
        RemoteEngine over = engine;
        if (version > published) {
            published = version;
            if (over != null) {
                over.newVersion(version);
            }
        }
    }

    /** A worker that answers is there, whatever the registry says: it is the registry that may be slow. */
    private List<NodeState> withSilent(List<NodeState> nodes) {
        Set<String> named = nodes.stream().map(NodeState::node).collect(Collectors.toSet());
        List<NodeState> all = new ArrayList<>(nodes);
        for (NodeState before : states) {
            WorkerLink link = links.get(before.node());
            if (!named.contains(before.node()) && link != null && link.isUp()) {
                all.add(before);
            }
        }
        return List.copyOf(all);
    }

    private boolean isOurs(NodeState node) {
        if (node.identity().equals(identity)) {
            return true;
        }
        if (strangers.size() >= config.maxNodes()) {
            strangers.clear(); // those that are there yet are told of again
        }
        if (strangers.add(node.node() + node.run())) {
            log.error("a worker is left alone, its tokens would be others: node={}, {}; this node has {}", node.node(), node.identity(), identity);
        }
        return false;
    }

    private void forgetIfNew(NodeState node) {
        Long before = runs.put(node.node(), node.run());
        RemoteEngine over = engine;
        if (before != null && before != node.run() && over != null) {
            over.forget(node.node());
        }
    }

    private void link(NodeState node) {
        WorkerLink known = links.get(node.node());
        if (known != null && known.url().equals(node.url())) {
            return;
        }
        if (known != null) {
            drop(node.node());
        }
        WorkerLink made = new WorkerLink(vertx, client, new LinkConfig(node.node(), node.url(), identity.text(), config.secret(),
                config.workerTimeout(), maxMessageBytes), codec, new Told());
        links.put(node.node(), made);
        made.start();
    }

    private void drop(String node) {
        WorkerLink gone = links.remove(node);
        if (gone != null) {
            var _ = gone.close();
        }
    }

    @Override
    public List<NodeView> nodes() {
        List<NodeView> views = new ArrayList<>();
        for (NodeState state : states) {
            if (isReachable(state)) {
                views.add(new NodeView(state.node(), state.report(), Math.max(1, state.load().slots()), Math.max(0, state.load().running()),
                        Math.max(0, state.load().waiting()), Math.clamp(state.load().kvUse(), 0, 1), state.weights().applied(),
                        state.weights().held(), state.adapters(), state.draining()));
            }
        }
        return views;
    }

    private boolean isReachable(NodeState state) {
        if (local != null && state.node().equals(local.node())) {
            return true;
        }
        WorkerLink link = linked.get(state.node());
        return link != null && link.isUp();
    }

    @Override
    public Optional<Worker> worker(String node) {
        if (local != null && node.equals(local.node())) {
            return Optional.of(local);
        }
        WorkerLink link = linked.get(node);
        return link != null && link.isUp() ? Optional.of(link) : Optional.empty();
    }

    @Override
    public long publishedVersion() {
        return published;
    }

    /** What all nodes have last said of themselves. */
    public List<NodeState> states() {
        return states;
    }

    /** Workers that take streams now, the one of this process included. */
    public int reachable() {
        return nodes().size();
    }

    @Override
    public void close() {
        List<Future<Void>> ends = new ArrayList<>();
        synchronized (this) {
            closed = true;
            links.values().forEach(link -> ends.add(link.close()));
            links.clear();
            linked = Map.of();
        }
        Future.join(ends).toCompletionStage().toCompletableFuture().join();
    }

    /** What links tell. */
    private final class Told implements WorkerLink.Listener {
        @Override
        public void up(WorkerLink link) {
            publish();
        }

        @Override
        public void draining(WorkerLink link) {
            RemoteEngine over = engine;
            if (over != null) {
                over.moveFrom(link.node());
            }
        }

        @Override
        public void down(WorkerLink link, String why) {
            RemoteEngine over = engine;
            if (over != null) {
                over.forget(link.node());
            }
        }
    }
}

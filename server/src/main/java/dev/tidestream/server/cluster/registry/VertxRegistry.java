package dev.tidestream.server.cluster.registry;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.shareddata.AsyncMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A registry on a Vert.x of its own, which is clustered and does nothing else: what clients and administrators do goes over another one, so
 * a peer that talks to this one's event bus finds nobody there.
 */
public final class VertxRegistry implements Registry {
    private static final Logger log = LoggerFactory.getLogger(VertxRegistry.class);
    private static final String MAP = "tidestream.nodes";
    private static final Duration BEAT = Duration.ofMillis(500);
    private static final Duration FORGOTTEN_AFTER = Duration.ofSeconds(4); // a beat may be late
    private static final long NO_TIMER = -1;
    private static final Duration JOIN_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(5);

    private final Vertx vertx;
    private final AsyncMap<String, String> map;
    private final Supplier<NodeState> own;
    private final int maxNodes;
    private final List<Consumer<List<NodeState>>> listeners = new CopyOnWriteArrayList<>();
    private volatile List<NodeState> nodes;
    private volatile boolean closed;
    private boolean beating; // event loop, as is the next
    private boolean again;
    private long timer = NO_TIMER;
    private boolean complained;

    private VertxRegistry(Vertx vertx, AsyncMap<String, String> map, Supplier<NodeState> own, int maxNodes) {
        this.vertx = vertx;
        this.map = map;
        this.own = own;
        this.maxNodes = maxNodes;
        this.nodes = List.of();
    }

    /**
     * Joins, and looks once who is there; says nothing of this node before {@link #beatNow}. Waits; not on an event loop.
     *
     * @param own what this node says of itself, at each beat; any thread
     * @param maxNodes most that are looked at, by name
     * @throws IllegalStateException if the cluster cannot be joined
     */
    public static VertxRegistry join(ClusterManagers managers, ClusterManagers.Membership membership, Supplier<NodeState> own, int maxNodes) {
        VertxOptions options = new VertxOptions()
                .setEventLoopPoolSize(1)
                .setEventBusOptions(new EventBusOptions().setHost(membership.host()).setClusterPublicHost(membership.host()))
                .setFileSystemOptions(new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false));
        Vertx vertx = await(Vertx.builder().with(options).withClusterManager(managers.make(membership)).buildClustered(), JOIN_TIMEOUT);
        boolean joined = false;
        try {
            AsyncMap<String, String> map = await(vertx.sharedData().getClusterWideMap(MAP), JOIN_TIMEOUT);
            VertxRegistry registry = new VertxRegistry(vertx, map, own, maxNodes);
            var _ = registry.look();
            joined = true;
            return registry;
        } finally {
            if (!joined) {
                var _ = vertx.close();
            }
        }
    }

    private static <T> T await(Future<T> future, Duration longest) {
        try {
            return future.await(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException("the registry of nodes has not answered: waited_ms=" + longest.toMillis(), e);
        } catch (CompletionException e) {
            throw new IllegalStateException("the registry of nodes cannot be joined: " + e.getMessage(), e);
        }
    }

    @Override
    public List<NodeState> nodes() {
        return nodes;
    }

    @Override
    public List<NodeState> look() {
        List<NodeState> seen = parse(await(map.entries(), JOIN_TIMEOUT));
        nodes = seen;
        return seen;
    }

    @Override
    public void onBeat(Consumer<List<NodeState>> listener) {
        listeners.add(listener);
    }

    @Override
    public void beatNow() {
        vertx.runOnContext(v -> beat());
    }

    private void beat() {
        if (closed) {
            return;
        }
        if (beating) {
            again = true;
            return;
        }
        beating = true;
        vertx.cancelTimer(timer);
        NodeState now = own.get();
        map.put(now.node(), now.toJson(), FORGOTTEN_AFTER.toMillis()).compose(done -> map.entries()).onComplete(entries -> {
            beating = false;
            if (closed) {
                return;
            }
            if (entries.succeeded()) {
                complained = false;
                List<NodeState> seen = parse(entries.result());
                nodes = seen;
                listeners.forEach(listener -> listener.accept(seen));
            } else if (!complained) {
                complained = true;
                log.warn("the registry of nodes does not answer, what it said before holds: reason={}", entries.cause().toString());
            }
            if (again) {
                again = false;
                beat();
            } else {
                timer = vertx.setTimer(BEAT.toMillis(), fired -> beat());
            }
        });
    }

    private List<NodeState> parse(Map<String, String> entries) {
        List<NodeState> seen = new ArrayList<>();
        entries.values().forEach(text -> {
            try {
                seen.add(NodeState.parse(text));
            } catch (IllegalArgumentException e) {
                log.warn("a node says of itself what is not understood, it is left out: reason={}", e.getMessage());
            }
        });
        seen.sort(Comparator.comparing(NodeState::node));
        return List.copyOf(seen.subList(0, Math.min(maxNodes, seen.size())));
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            map.remove(own.get().node()).await(LEAVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | RuntimeException e) {
            log.warn("the registry of nodes was not left as it should be, others forget this node by themselves: reason={}", e.toString());
        }
        try { // not by a future of its own context, which is closed with it
            vertx.close().toCompletionStage().toCompletableFuture().get(LEAVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException | ExecutionException e) {
            log.warn("the registry of nodes could not be closed: reason={}", e.toString());
        }
    }
}

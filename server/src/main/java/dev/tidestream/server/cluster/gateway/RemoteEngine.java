package dev.tidestream.server.cluster.gateway;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;
import reactor.core.publisher.Sinks;

import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.route.Obstacle;
import dev.tidestream.server.cluster.route.PrefixChain;
import dev.tidestream.server.cluster.route.RouteRequest;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/**
 * The engine of a gateway. What it needs of a stream so that any worker can go on with it is a {@link StreamMemory}: since a stream is a
 * pure function of that, a client whose worker dies sees a pause, and no token lost, repeated or different.
 *
 * <p>Any thread. Events come on the thread of a worker's connection, or on whichever thread asks for more at that moment.
 */
public final class RemoteEngine implements Engine, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RemoteEngine.class);

    private final Fleet fleet;
    private final Router router;
    private final PromptBlocks blocks;
    private final Executor hashing;
    private final RelayTiming timing;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoClock;
    private final RelayCounters counters = new RelayCounters();
    private final AtomicLong lastStream = new AtomicLong();
    private final Set<RelayedStream> streams = ConcurrentHashMap.newKeySet();
    private final Sinks.Many<Long> versions = Sinks.many().replay().latest();
    private final AtomicLong toldVersion = new AtomicLong();

    /** Hashes of the blocks that the prompt of a request begins with. */
    public interface PromptBlocks {
        /** Knows none: prompts count for nothing. */
        PromptBlocks NONE = (request, version) -> new long[0];

        /** Those of a request that is computed with this version; may take as long as it takes to make tokens of the prompt. */
        long[] of(GenerateRequest request, long weightsVersion);
    }

    /**
     * An engine over these workers.
     *
     * @param blocks of prompts; asked where {@code hashing} runs
     * @param hashing bounded; a prompt that it refuses is routed by load alone
     * @param timer for streams that wait for a worker; stays the caller's
     */
    public RemoteEngine(Fleet fleet, Router router, PromptBlocks blocks, Executor hashing, RelayTiming timing,
            ScheduledExecutorService timer, LongSupplier nanoClock) {
        this.fleet = fleet;
        this.router = router;
        this.blocks = blocks;
        this.hashing = hashing;
        this.timing = timing;
        this.timer = timer;
        this.nanoClock = nanoClock;
        newVersion(fleet.publishedVersion());
    }

    @Override
    public Generation generate(GenerateRequest request) {
        return new Relayed(new RelayedStream(this, lastStream.incrementAndGet(), request));
    }

    @Override
    public Flux<Long> weightsVersions() {
        return versions.asFlux().distinctUntilChanged().onBackpressureLatest();
    }

    /** New streams begin with this version from now on; an older one than is known changes nothing. One thread at a time. */
    public void newVersion(long published) {
        if (toldVersion.getAndAccumulate(published, Math::max) < published) {
            versions.emitNext(published, Sinks.EmitFailureHandler.busyLooping(Duration.ofSeconds(1)));
        }
    }

    /** The streams of a worker that drains go on elsewhere, if another can take them; those that none can take stay while it lets them. */
    public void moveFrom(String node) {
        List<RelayedStream> there = streams.stream().filter(stream -> node.equals(stream.node())).toList();
        if (!there.isEmpty()) {
            log.info("streams move: from={}, streams={}", node, there.size());
            there.forEach(RelayedStream::move);
        }
    }

    /** A node is gone, or has begun anew: nothing that it has computed before is there. */
    public void forget(String node) {
        router.forget(node);
    }

    /** What was relayed. */
    public RelayCounters counters() {
        return counters;
    }

    /** The hashes of a prompt, perhaps later and on another thread. */
    void hash(GenerateRequest request, Consumer<long[]> then) {
        if (isShort(request)) {
            then.accept(new long[0]);
            return;
        }
        try {
            hashing.execute(() -> {
                long[] known = {};
                try {
                    known = blocks.of(request, fleet.publishedVersion());
                } catch (RuntimeException e) { // the worker says what is wrong with the prompt
                    log.debug("a prompt was not hashed, it is routed by load alone", e);
                }
                then.accept(known);
            });
        } catch (RejectedExecutionException e) {
            then.accept(new long[0]);
        }
    }

    /** Whether the prompt has no full block: a token is a character at least. */
    private static boolean isShort(GenerateRequest request) {
        int least = PrefixChain.BLOCK_TOKENS;
        int[] tokens = request.tokens();
        String prompt = request.prompt();
        return tokens != null ? tokens.length < least : prompt != null && prompt.length() < least;
    }

    /** A worker that was chosen, and what the router is told when the stream goes there. */
    record Chosen(Worker worker, NodeView view, RouteRequest route) {}

    /** A worker for a stream, but none of these; empty if there is none. */
    Optional<Chosen> choose(StreamMemory stream, long[] hashes, Set<String> without) {
        OptionalLong pinned = stream.pinnedVersion() < 0 ? OptionalLong.empty() : OptionalLong.of(stream.pinnedVersion());
        long least = Math.max(fleet.publishedVersion(), stream.leastVersion());
        RouteRequest route = new RouteRequest(hashes, pinned, least, stream.request().options().adapter());
        List<NodeView> nodes = new ArrayList<>(fleet.nodes());
        nodes.removeIf(node -> without.contains(node.node()));
        while (true) {
            NodeView view = router.choose(route, nodes).orElse(null);
            if (view == null) {
                return Optional.empty();
            }
            Worker worker = fleet.worker(view.node()).orElse(null);
            if (worker != null) {
                router.sent(view, route);
                return Optional.of(new Chosen(worker, view, route));
            }
            nodes.remove(view); // it went meanwhile
        }
    }

    /** Why no worker can take a stream. */
    Obstacle obstacle(StreamMemory stream) {
        OptionalLong pinned = stream.pinnedVersion() < 0 ? OptionalLong.empty() : OptionalLong.of(stream.pinnedVersion());
        RouteRequest route = new RouteRequest(new long[0], pinned, Math.max(fleet.publishedVersion(), stream.leastVersion()),
                stream.request().options().adapter());
        return Obstacle.of(route, fleet.nodes()).orElse(Obstacle.NO_NODE);
    }

    long publishedVersion() {
        return fleet.publishedVersion();
    }

    RelayTiming timing() {
        return timing;
    }

    long nanoTime() {
        return nanoClock.getAsLong();
    }

    /** Runs a task later; not if the gateway ends before. */
    void later(Runnable task) {
        try {
            var _ = timer.schedule(task, timing.retry().toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("the gateway ends, nobody looks for a worker any more", e);
        }
    }

    void began(RelayedStream stream) {
        counters.running.incrementAndGet();
        streams.add(stream);
    }

    void ended(RelayedStream stream) {
        if (streams.remove(stream)) {
            counters.running.decrementAndGet();
        }
    }

    /** Streams that are left end with {@code shutting_down}. */
    @Override
    public void close() {
        versions.tryEmitComplete();
        streams.forEach(RelayedStream::shutDown);
    }

    /** A stream before and after somebody subscribes to it. */
    private static final class Relayed extends Flux<TokenEvent> implements Generation {
        private final RelayedStream stream;

        Relayed(RelayedStream stream) {
            this.stream = stream;
        }

        @Override
        public Flux<TokenEvent> events() {
            return this;
        }

        @Override
        public void stop() {
            stream.stop();
        }

        @Override
        public void subscribe(CoreSubscriber<? super TokenEvent> subscriber) {
            if (!stream.subscribed(subscriber)) {
                Operators.error(subscriber, new IllegalStateException("subscribed to already"));
            }
        }
    }
}

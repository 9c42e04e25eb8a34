package dev.tidestream.server.bench.cluster;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;

import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.scheduler.GeneratedToken;

/** A gateway: the real router over the last reports of the workers; streams of one that has died go on elsewhere. */
final class SimGateway {
    private final SimConfig config;
    private final EventQueue events;
    private final SimRecorder recorder;
    private final Map<String, SimWorker> workers;
    private final Router router;
    private final SplittableRandom random;
    private final Map<String, NodeView> views = new LinkedHashMap<>();
    private final Map<String, Set<SimStream>> running = new HashMap<>();
    private final Map<SimStream, Consumer<SimStream>> ends = new HashMap<>();
    private final long hopNs;
    private long turns;

    /** @param workers by name; may be filled later */
    SimGateway(SimConfig config, long seed, EventQueue events, SimRecorder recorder, Map<String, SimWorker> workers) {
        this.config = config;
        this.events = events;
        this.recorder = recorder;
        this.workers = workers;
        router = new Router(config.policy().weights(config.weights()));
        random = new SplittableRandom(seed);
        hopNs = SimConfig.ns(config.hopMs() / 1000);
    }

    /** @param whenEnded told when the last token has come; not if it is refused */
    void start(SimStream stream, Consumer<SimStream> whenEnded) {
        ends.put(stream, whenEnded);
        send(stream);
    }


    private void send(SimStream stream) {
        List<NodeView> nodes = new ArrayList<>(views.size());
        for (NodeView view : views.values()) {
            if (!stream.refusedBy().contains(view.node())) {
                nodes.add(view);
            }
        }
        Optional<NodeView> chosen = nodes.isEmpty()
                ? Optional.empty()
                : router.choose(stream.route(), config.policy().among(nodes, turns++, random));
        if (chosen.isEmpty()) {
            ends.remove(stream);
            recorder.refused(stream, events.nowNs());
            return;
        }
        router.sent(chosen.get(), stream.route());
        SimWorker worker = Objects.requireNonNull(workers.get(chosen.get().node()));
        running.computeIfAbsent(worker.name(), name -> new LinkedHashSet<>()).add(stream);
        events.after(hopNs, () -> {
            if (worker.alive()) { // else it is among those that are missed
                worker.submit(stream);
            }
        });
    }

    /** A report has come. */
    void sees(NodeView view) {
        views.put(view.node(), view);
    }

    /** A worker is taken for dead. */
    void misses(String worker) {
        views.remove(worker);
        router.forget(worker);
        Set<SimStream> streams = running.remove(worker);
        if (streams != null) {
            streams.forEach(stream -> {
                recorder.moved(stream, events.nowNs());
                stream.move();
                send(stream);
            });
        }
    }

    void token(SimWorker from, SimStream stream, GeneratedToken token) {
        long nowNs = events.nowNs() + hopNs;
        boolean moved = stream.moving();
        long gapNs = stream.took(token.seq(), nowNs);
        recorder.token(stream, gapNs, moved, nowNs);
        if (token.completion() != null) {
            gone(from, stream);
            recorder.finished(stream, token.completion());
            Consumer<SimStream> whenEnded = ends.remove(stream);
            if (whenEnded != null) {
                events.after(hopNs, () -> whenEnded.accept(stream));
            }
        }
    }

    /** A worker has said {@code busy}: the next one is asked. */
    void refused(SimWorker from, SimStream stream) {
        gone(from, stream);
        stream.refusedBy().add(from.name());
        events.after(hopNs, () -> send(stream));
    }

    private void gone(SimWorker from, SimStream stream) {
        Set<SimStream> streams = running.get(from.name());
        if (streams == null || !streams.remove(stream)) {
            throw new IllegalStateException("the worker has not this stream: worker=%s, stream=%d".formatted(from.name(), stream.number()));
        }
    }
}

package dev.tidestream.loadtest.run;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.CpuMeter;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.Recorder;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.protocol.ServerMessage;

/**
 * One run: connects, warms up, measures, drains. Everything happens on the I/O thread, which is the single writer of all state;
 * the caller waits for a future. {@link Starter} decides who comes when, {@link Readers} how they read and misbehave,
 * {@link StreamCheck} judges the server, {@link Ledger} keeps the figures; here are the phases and the connections.
 */
public final class LoadRun implements Lane.Owner, Starter.Run {
    private static final long SAMPLE_NS = 250_000_000;
    private static final long RECONNECT_NS = 100_000_000;
    private static final long CANCEL_PATIENCE_NS = 5_000_000_000L;

    private enum Phase {
        CONNECTING,
        WARMUP,
        MEASURING,
        DRAINING,
        DONE
    }

    private final LoadPlan plan;
    private final Servers servers;
    private final Io io;
    private final LongSupplier nanoTime;
    private final Live.Listener live;
    private final @Nullable AdminDriver admin;
    private final CompletableFuture<RunResult> result = new CompletableFuture<>();
    private final Promises promises = new Promises();
    private final Lanes lanes;
    private final Idle idle;
    private final Ledger ledger;
    private final Readers readers;
    private final Starter starter;
    private final Killer killer;
    private final Losses losses;

    private Phase phase = Phase.CONNECTING;
    private long startNs;
    private long drainNs;
    private int lanesMade;

    /**
     * @param targets one, or several that serve the same model: connections go to them in turn
     * @param sampling of the streams; the seed is that of the first one
     * @param admin what an administrator does meanwhile; null for nothing
     * @param workers what kills some; null for nothing
     * @param serverUse asked at the beginning and at the end of the window; gives null if the server is not ours
     */
    public LoadRun(LoadPlan plan, List<Target> targets, Io io, Workload workload, StreamRequest.Sampling sampling, LongSupplier nanoTime,
            @Nullable AdminDriver admin, @Nullable WorkerFaults workers, Supplier<Figures.@Nullable ServerUse> serverUse,
            Live.Listener live) {
        this.plan = plan;
        this.servers = new Servers(targets);
        this.io = io;
        this.nanoTime = nanoTime;
        this.admin = admin;
        this.live = live;
        this.lanes = new Lanes(Math.min(plan.streamsPerConnection(), servers.first().streamsPerConnection()));
        this.startNs = nanoTime.getAsLong();
        this.ledger = new Ledger(plan, servers.names(), new CpuMeter(io.threadId()), serverUse, startNs);
        this.readers = new Readers(plan, io, nanoTime, ledger, promises, this::guarded);
        this.idle = new Idle(plan.idle(), servers.first(), promises);
        this.starter = new Starter(plan, servers, io, workload, sampling, nanoTime, admin, lanes, ledger, this);
        this.killer = new Killer(workers, plan.faults().killEvery(), io, ledger, lanes, nanoTime, this::guarded);
        this.losses = new Losses(servers, ledger, killer);
    }

    /** Begins; completes, or fails with an IllegalStateException if the server cannot be reached. */
    public CompletableFuture<RunResult> start() {
        io.onFault(this::fault);
        io.execute(() -> guarded(() -> idle.open(this::connect)));
        io.after(SAMPLE_NS, this::tick);
        return result;
    }

    @Override
    public void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) { // a fault of ours ends the run and is reported by whoever waits
            fault(e);
        }
    }

    private void fault(Throwable fault) {
        phase = Phase.DONE;
        result.completeExceptionally(fault);
    }

    private void connect() {
        int connections = starter.firstLanes();
        for (int i = 0; i < connections; i++) {
            openLane(false);
        }
    }

    @Override
    public void openLane(boolean alone) {
        connect(new Lane(lanesMade++, servers.next(), alone, this));
    }

    private void connect(Lane lane) {
        lanes.add(lane);
        servers.get(lane.server).connect(lane);
    }

    @Override
    public boolean isGoing() {
        return phase == Phase.WARMUP || phase == Phase.MEASURING;
    }

    @Override
    public void laneOpened(Lane lane) {
        guarded(() -> {
            losses.opened();
            if (!lane.running.isEmpty()) {
                lane.running.values().forEach(stream -> readers.goOn(lane, stream));
                return;
            }
            switch (phase) {
                case CONNECTING -> {
                    if (lanes.connecting(false) == 0) {
                        begin();
                    }
                }
                case WARMUP, MEASURING -> starter.fill();
                case DRAINING, DONE -> leave(lane);
            }
        });
    }

    private void begin() {
        phase = Phase.WARMUP;
        startNs = nanoTime.getAsLong();
        ledger.begin(startNs);
        if (admin != null) {
            admin.begin(ledger.whole(), this::isGoing);
        }
        if (plan.warmup().isZero()) {
            measure();
        } else {
            io.after(plan.warmup().toNanos(), () -> guarded(this::measure));
        }
        starter.begin(startNs);
    }

    private void measure() {
        if (phase != Phase.WARMUP) {
            return;
        }
        phase = Phase.MEASURING;
        ledger.openWindow(nanoTime.getAsLong());
        killer.begin(this::isGoing);
        if (plan.requests().isEmpty()) {
            io.after(plan.duration().toNanos(), () -> guarded(this::closeWindow));
        }
    }

    /** Nothing new is measured, nothing new starts. */
    private void closeWindow() {
        ledger.closeWindow(nanoTime.getAsLong());
        drain();
    }

    @Override
    public void enough() {
        drain();
    }

    private void drain() {
        if (phase == Phase.MEASURING) {
            phase = Phase.DRAINING;
            drainNs = nanoTime.getAsLong();
            if (plan.requests().isEmpty() || lanes.running() > 0) {
                io.after(plan.drain().toNanos(), () -> guarded(this::cancelAll));
            }
            maybeDone();
        }
    }

    private void cancelAll() {
        if (phase != Phase.DRAINING) {
            return;
        }
        for (Lane lane : lanes.all()) {
            List.copyOf(lane.running.values()).forEach(stream -> readers.cancel(lane, stream));
        }
        io.after(CANCEL_PATIENCE_NS, () -> guarded(() -> {
            for (Lane lane : lanes.all()) {
                for (Stream stream : List.copyOf(lane.running.values())) {
                    stream.check.broken(Promise.CANCEL_ENDS, "no end within " + CANCEL_PATIENCE_NS / 1_000_000_000
                            + " s of its cancel: tokens="
                            + stream.check.tokens());
                    gone(lane, stream, 0);
                }
            }
            maybeDone();
        }));
    }

    private void maybeDone() {
        if (phase != Phase.DRAINING || lanes.running() > 0) {
            return;
        }
        if (!ledger.isWindowClosed()) { // with a number of requests, the window ends when the last of them does
            ledger.closeWindow(nanoTime.getAsLong());
        }
        if (admin == null || admin.isQuiet()) {
            phase = Phase.DONE;
            idle.close();
            lanes.all().forEach(this::leave);
            if (admin != null) {
                admin.errors().forEach((code, count) -> {
                    for (long i = 0; i < count; i++) {
                        ledger.whole().error(code);
                    }
                });
            }
            ledger.sample(nanoTime.getAsLong(), 0);
            result.complete(ledger.result(promises, killer.figures()));
        }
    }

    private void leave(Lane lane) {
        lane.leaving = true;
        Link link = lane.link();
        if (link != null) {
            link.close();
        }
    }

    @Override
    public void frame(Lane lane, Stream stream, ServerMessage message, long nowNs) {
        guarded(() -> {
            stream.heardNs = nowNs;
            stream.check.accept(message);
            switch (message) {
                case ServerMessage.Token t -> {
                    killer.token(stream, nowNs);
                    ledger.token(stream, t, nowNs);
                    stream.answer(t);
                    readers.token(lane, stream, nowNs, phase != Phase.DRAINING || plan.requests().isPresent());
                }
                case ServerMessage.Finished f -> finished(lane, stream, f, nowNs);
                case ServerMessage.Failed f -> broke(lane, stream, f.code().wireName(), f.message());
                case ServerMessage.Accepted _ -> readers.accepted(lane, stream, nowNs);
                case ServerMessage.Progress _, ServerMessage.WeightsChanged _ -> { }
            }
        });
    }

    @Override
    public void failed(Lane lane, Stream stream, String code, String why) {
        guarded(() -> {
            stream.check.failed(code);
            broke(lane, stream, code, why);
        });
    }

    private void broke(Lane lane, Stream stream, String code, String why) {
        ledger.whole().error(code, why);
        ledger.failed(stream);
        gone(lane, stream, RECONNECT_NS); // the next one starts a moment later, lest a server that refuses is asked without end
    }

    private void finished(Lane lane, Stream stream, ServerMessage.Finished f, long nowNs) {
        int unseen = servers.first().framesAreItsOwn() ? 0 : Math.max(0, f.usage().completionTokens() - stream.check.tokens());
        ledger.finished(stream, f, unseen, nowNs);
        if (lane.running.remove(stream.id) != null) {
            promises.kept(Promise.CONNECTION);
            killer.finished(stream);
            if (!stream.cancelled) {
                starter.ended(stream, f.usage().promptTokens() + f.usage().completionTokens());
            }
            after(0);
        }
    }

    private void gone(Lane lane, Stream stream, long pauseNs) {
        if (lane.running.remove(stream.id) != null) {
            after(pauseNs);
        }
    }

    /** A stream has ended. */
    private void after(long pauseNs) {
        if (phase == Phase.DRAINING) {
            maybeDone();
        } else if (pauseNs == 0) {
            starter.fill();
        } else {
            io.after(pauseNs, () -> guarded(starter::fill));
        }
    }

    @Override
    public void laneClosed(Lane lane, List<Stream> broken, String why, long nowNs) {
        guarded(() -> {
            lanes.remove(lane);
            if (phase == Phase.DONE) {
                return;
            }
            String fatal = lane.leaving ? null : losses.lost(lane, broken, why, phase == Phase.CONNECTING, nowNs);
            if (fatal != null) {
                fault(new IllegalStateException(fatal));
                return;
            }
            broken.stream().filter(s -> s.vanished).forEach(ledger::vanished);
            List<Stream> dropped = broken.stream().filter(s -> s.dropped).toList();
            dropped.forEach(stream -> reconnect(stream, lane.everOpened()));
            if (!dropped.isEmpty() && lane.alone) {
                return;
            }
            if (phase == Phase.DRAINING) {
                maybeDone();
            } else if (phase != Phase.DONE) {
                io.after(lane.leaving ? 0 : RECONNECT_NS, () -> guarded(() -> openLane(lane.alone)));
            }
        });
    }

    /**
     * A stream whose connection is gone because of us has another one for itself, at the next server.
     *
     * @param first whether the one before was there, and not just tried in vain
     */
    private void reconnect(Stream stream, boolean first) {
        stream.dropped = false;
        stream.resumed = true;
        stream.heardNs = nanoTime.getAsLong();
        stream.check.resuming(ledger.resumptions());
        Lane lane = new Lane(lanesMade++, servers.next(), true, this);
        lane.running.put(stream.id, stream);
        if (first) {
            ledger.resumptions().dropped();
            connect(lane);
        } else {
            lanes.add(lane); // its streams still run
            io.after(RECONNECT_NS, () -> guarded(() -> servers.get(lane.server).connect(lane)));
        }
    }

    @Override
    public Promises promises() {
        return promises;
    }

    /** Several times a second: a sample, a look at silent streams, news for who waits. */
    private void tick() {
        guarded(() -> {
            if (phase == Phase.DONE) {
                return;
            }
            long nowNs = nanoTime.getAsLong();
            int connections = lanes.size() + idle.open();
            if (phase != Phase.CONNECTING) {
                int running = lanes.running();
                double tokensPerS = ledger.sample(nowNs, running).tokens();
                Recorder whole = ledger.whole();
                live.at(new Live("", phase == Phase.WARMUP ? "warm-up" : phase == Phase.MEASURING ? "measuring" : "draining",
                        done(nowNs), tokensPerS, running, connections, whole.finishedSoFar(), whole.ttftSoFar(50),
                        whole.ttftSoFar(99), promises.brokenCount()));
                lanes.all().forEach(lane -> readers.silent(lane, nowNs));
            } else {
                live.at(Live.of("connecting", connections));
            }
            maybeDone();
            io.after(SAMPLE_NS, this::tick);
        });
    }

    private double done(long nowNs) {
        if (plan.requests().isPresent()) {
            return Math.min(1, (double) ledger.whole().finishedSoFar() / plan.requests().getAsLong());
        }
        long endNs = phase == Phase.DRAINING ? drainNs : nowNs;
        return Math.min(1, (endNs - startNs) / (double) plan.warmup().plus(plan.duration()).toNanos());
    }
}

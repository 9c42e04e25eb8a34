package dev.tidestream.loadtest.run;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.CpuMeter;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Recorder;
import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Prompt;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;

/**
 * One run: connects, warms up, measures, drains. Everything happens on the I/O thread, which is the single writer of all state;
 * the caller waits for a future.
 *
 * <p>In an open loop an arrival that finds no room waits at the client, and its clock runs: latencies count from the intended
 * start, so a server that stalls cannot hide the requests that it kept from starting (coordinated omission; G. Tene, "How NOT to
 * Measure Latency", 2013).
 */
public final class LoadRun implements Lane.Owner {
    private static final long SAMPLE_NS = 250_000_000;
    private static final long RECONNECT_NS = 100_000_000;
    private static final long CANCEL_PATIENCE_NS = 5_000_000_000L;
    private static final int MAX_REFUSALS = 5;

    private enum Phase {
        CONNECTING,
        WARMUP,
        MEASURING,
        DRAINING,
        DONE
    }

    private final LoadPlan plan;
    private final Target target;
    private final Io io;
    private final Workload workload;
    private final StreamRequest.Sampling sampling;
    private final LongSupplier nanoTime;
    private final Live.Listener live;
    private final @Nullable AdminDriver admin;
    private final Supplier<Figures.@Nullable ServerUse> serverUse;
    private final SplittableRandom random;
    private final CompletableFuture<RunResult> result = new CompletableFuture<>();
    private final Breaches breaches = new Breaches();
    private final Lanes lanes;
    private final Idle idle;
    private final Deque<Long> waiting = new ArrayDeque<>(); // intended starts of arrivals without room
    private final CpuMeter cpu;
    private final Readers readers;

    private Phase phase = Phase.CONNECTING;
    private Recorder recorder;
    private long startNs;
    private long windowNs;
    private long nextArrivalNs;
    private double clientCores;
    private double ioShare;
    private double windowEndS;
    private Figures.@Nullable ServerUse serverUsed;
    private long number;
    private long measuredSent;
    private int running;
    private int lanesMade;
    private int refusals;
    private long drainNs;

    /**
     * @param sampling of the streams; the seed is that of the first one
     * @param admin what an administrator does meanwhile; null for nothing
     * @param serverUse asked at the beginning and at the end of the window; gives null if the server is not ours
     */
    public LoadRun(LoadPlan plan, Target target, Io io, Workload workload, StreamRequest.Sampling sampling, LongSupplier nanoTime,
            @Nullable AdminDriver admin, Supplier<Figures.@Nullable ServerUse> serverUse, Live.Listener live) {
        this.plan = plan;
        this.target = target;
        this.io = io;
        this.workload = workload;
        this.sampling = sampling;
        this.nanoTime = nanoTime;
        this.admin = admin;
        this.serverUse = serverUse;
        this.live = live;
        this.random = new SplittableRandom(plan.seed());
        this.lanes = new Lanes(plan.streamsPerConnection());
        this.cpu = new CpuMeter(io.threadId());
        this.startNs = nanoTime.getAsLong();
        this.recorder = new Recorder(plan.slo(), startNs);
        this.readers = new Readers(plan, io, nanoTime, recorder, this::guarded);
        this.idle = new Idle(plan.idle(), target, this::breach);
    }

    /** Begins; completes, or fails with an IllegalStateException if the server cannot be reached. */
    public CompletableFuture<RunResult> start() {
        io.onFault(this::fault);
        io.execute(() -> guarded(() -> idle.open(this::connect)));
        io.after(SAMPLE_NS, this::tick);
        return result;
    }

    private void guarded(Runnable task) {
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
        int connections = switch (plan.arrivals()) {
            case Arrivals.Closed closed -> (closed.concurrency() + plan.streamsPerConnection() - 1) / plan.streamsPerConnection();
            case Arrivals.Open _ -> 1;
        };
        for (int i = 0; i < connections; i++) {
            openLane();
        }
    }

    private void openLane() {
        Lane lane = new Lane(lanesMade++, this);
        lanes.add(lane);
        target.connect(lane);
    }

    @Override
    public void laneOpened(Lane lane) {
        guarded(() -> {
            refusals = 0;
            switch (phase) {
                case CONNECTING -> {
                    if (lanes.connecting() == 0) {
                        begin();
                    }
                }
                case WARMUP, MEASURING -> fill();
                case DRAINING, DONE -> leave(lane);
            }
        });
    }

    private void begin() {
        phase = Phase.WARMUP;
        startNs = nanoTime.getAsLong();
        recorder = new Recorder(plan.slo(), startNs);
        readers.recordInto(recorder);
        nextArrivalNs = startNs;
        if (admin != null) {
            admin.begin(recorder, () -> phase == Phase.WARMUP || phase == Phase.MEASURING);
        }
        if (plan.warmup().isZero()) {
            measure();
        } else {
            io.after(plan.warmup().toNanos(), () -> guarded(this::measure));
        }
        if (plan.arrivals() instanceof Arrivals.Open open) {
            arrive(open);
        }
        fill();
    }

    private void measure() {
        if (phase != Phase.WARMUP) {
            return;
        }
        phase = Phase.MEASURING;
        windowNs = nanoTime.getAsLong();
        recorder.openWindow(windowNs);
        cpu.start();
        serverUsed = serverUse.get(); // what it used counts from here
        if (plan.requests().isEmpty()) {
            io.after(plan.duration().toNanos(), () -> guarded(this::closeWindow));
        }
    }

    /** Nothing new is measured, nothing new starts. */
    private void closeWindow() {
        endWindow();
        drain();
    }

    private void drain() {
        if (phase == Phase.MEASURING) {
            phase = Phase.DRAINING;
            drainNs = nanoTime.getAsLong();
            waiting.clear();
            if (plan.requests().isEmpty() || running > 0) {
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
                    stream.check.breach("no end within " + CANCEL_PATIENCE_NS / 1_000_000_000 + " s of its cancel: tokens="
                            + stream.check.tokens());
                    gone(lane, stream);
                }
            }
            maybeDone();
        }));
    }

    private void maybeDone() {
        if (phase != Phase.DRAINING || running > 0) {
            return;
        }
        if (windowEndS == 0) { // with a number of requests, the window ends when the last of them does
            endWindow();
        }
        if (admin == null || admin.isQuiet()) {
            phase = Phase.DONE;
            idle.close();
            lanes.all().forEach(this::leave);
            if (admin != null) {
                admin.errors().forEach((code, count) -> {
                    for (long i = 0; i < count; i++) {
                        recorder.error(code);
                    }
                });
            }
            recorder.sample(nanoTime.getAsLong(), running);
            result.complete(new RunResult(recorder.figures(clientCores, ioShare, serverUsed), recorder.samples(),
                    recorder.marks(),
                    (windowNs - startNs) / 1e9, windowEndS, breaches.count(), breaches.evidence()));
        }
    }

    private void leave(Lane lane) {
        lane.leaving = true;
        Link link = lane.link();
        if (link != null) {
            link.close();
        }
    }

    /** All arrivals that are due, then a timer for the next one. */
    private void arrive(Arrivals.Open open) {
        if (phase != Phase.WARMUP && phase != Phase.MEASURING) {
            return;
        }
        long nowNs = nanoTime.getAsLong();
        while (nextArrivalNs <= nowNs) {
            waiting.add(nextArrivalNs);
            nextArrivalNs += Math.max(1, Math.round(open.gapNs(random)));
        }
        fill();
        io.after(nextArrivalNs - nanoTime.getAsLong(), () -> guarded(() -> arrive(open)));
    }

    /** Starts what can be started. */
    private void fill() {
        while (phase == Phase.WARMUP || phase == Phase.MEASURING) {
            Lane lane = lanes.withRoom();
            switch (plan.arrivals()) {
                case Arrivals.Closed closed -> {
                    if (running >= closed.concurrency() || lane == null) {
                        return;
                    }
                    send(lane, nanoTime.getAsLong());
                }
                case Arrivals.Open _ -> {
                    if (waiting.isEmpty()) {
                        return;
                    }
                    if (lane == null) {
                        if (lanes.connecting() == 0 && lanes.size() < plan.maxConnections()) {
                            openLane();
                        }
                        return;
                    }
                    send(lane, waiting.remove());
                }
            }
        }
    }

    private void send(Lane lane, long intendedNs) {
        Link link = lane.link();
        if (link == null) {
            throw new IllegalStateException("no connection: lane=" + lane.number);
        }
        Prompt prompt = workload.next(random);
        long index = number++;
        OptionalInt credit = Readers.firstCredit(plan.credit());
        boolean follow = random.nextDouble() < plan.followShare();
        Stream.Fault fault = Readers.fault(plan.faults(), random.nextDouble());
        int faultAfter = random.nextInt(1, Math.max(2, prompt.maxTokens() / 2));
        long nowNs = nanoTime.getAsLong();
        boolean measured = recorder.measures(intendedNs);
        StreamCheck check = new StreamCheck("s" + index + (follow ? " (follow)" : " (pin)"), prompt.maxTokens(), follow,
                admin == null ? 0 : admin.acknowledgedVersion(), credit, target.countsFrames(), this::breach);
        Stream stream = new Stream("s" + index, intendedNs, nowNs, measured, check, fault, faultAfter);
        stream.granted = credit.orElse(0);
        lane.running.put(stream.id, stream);
        running++;
        link.start(new StreamRequest(stream.id, prompt, follow, credit,
                new StreamRequest.Sampling(sampling.temperature(), sampling.seed() + index, sampling.suppressed())));
        if (measured) {
            recorder.sent(intendedNs, nowNs);
            measuredSent++;
            if (plan.requests().isPresent() && measuredSent >= plan.requests().getAsLong()) {
                drain();
            }
        }
    }

    @Override
    public void frame(Lane lane, Stream stream, ServerMessage message, long nowNs) {
        guarded(() -> {
            stream.heardNs = nowNs;
            stream.check.accept(message);
            switch (message) {
                case ServerMessage.Token t -> token(lane, stream, t, nowNs);
                case ServerMessage.Finished f -> finished(lane, stream, f, nowNs);
                case ServerMessage.Failed f -> failed(lane, stream, f);
                case ServerMessage.Accepted _ -> readers.accepted(lane, stream, nowNs);
                case ServerMessage.Progress _, ServerMessage.WeightsChanged _ -> { }
            }
        });
    }

    private void token(Lane lane, Stream stream, ServerMessage.Token t, long nowNs) {
        boolean timed = stream.measured && !stream.slowed;
        if (stream.firstNs == 0) {
            stream.firstNs = nowNs;
            recorder.firstToken(stream.intendedNs, nowNs, t.weightsVersion(), timed);
        } else {
            recorder.nextToken(stream.lastNs, nowNs, t.weightsVersion(), timed);
        }
        stream.lastNs = nowNs;
        readers.token(lane, stream, nowNs, phase != Phase.DRAINING || plan.requests().isPresent());
    }

    private void finished(Lane lane, Stream stream, ServerMessage.Finished f, long nowNs) {
        if (stream.measured) {
            if (f.reason() == FinishReason.CANCELLED || stream.cancelled) {
                recorder.cancelled();
            } else if (stream.slowed) {
                recorder.finishedSlowly();
            } else {
                recorder.finished(stream.times(nowNs));
            }
        }
        gone(lane, stream);
    }

    private void failed(Lane lane, Stream stream, ServerMessage.Failed f) {
        recorder.error(f.code().wireName());
        if (stream.measured) {
            recorder.failed();
        }
        // The next one starts a moment later, lest a server that refuses is asked without end.
        gone(lane, stream, RECONNECT_NS);
    }

    private void gone(Lane lane, Stream stream) {
        gone(lane, stream, 0);
    }

    private void gone(Lane lane, Stream stream, long pauseNs) {
        if (lane.running.remove(stream.id) == null) {
            return;
        }
        running--;
        if (phase == Phase.DRAINING) {
            maybeDone();
        } else if (pauseNs == 0) {
            fill();
        } else {
            io.after(pauseNs, () -> guarded(this::fill));
        }
    }

    private void endWindow() {
        long nowNs = nanoTime.getAsLong();
        recorder.closeWindow(nowNs);
        windowEndS = (nowNs - startNs) / 1e9;
        clientCores = cpu.cores();
        ioShare = cpu.ioShare();
        serverUsed = serverUse.get();
    }

    @Override
    public void laneClosed(Lane lane, List<Stream> broken, String why, long nowNs) {
        guarded(() -> {
            lanes.remove(lane);
            if (phase == Phase.DONE) {
                return;
            }
            if (!lane.leaving) {
                lost(lane, broken, why);
            }
            running -= broken.size();
            broken.stream().filter(s -> s.measured && s.vanished).forEach(_ -> recorder.vanished());
            if (phase == Phase.DRAINING) {
                maybeDone();
            } else if (phase != Phase.DONE) {
                io.after(lane.leaving ? 0 : RECONNECT_NS, () -> guarded(this::openLane));
            }
        });
    }

    private void lost(Lane lane, List<Stream> broken, String why) {
        recorder.error(lane.everOpened() ? "connection_lost" : "connection_refused");
        if (!lane.everOpened() && (++refusals >= MAX_REFUSALS || phase == Phase.CONNECTING)) {
            phase = Phase.DONE;
            result.completeExceptionally(new IllegalStateException("cannot connect to " + target.name() + ": " + why));
            return;
        }
        for (Stream stream : broken) {
            stream.check.breach("not finished after " + stream.check.tokens() + " tokens: " + why);
            if (stream.measured) {
                recorder.failed();
            }
        }
    }

    @Override
    public void breach(String text) {
        breaches.add(text);
    }

    /** Several times a second: a sample, a look at silent streams, news for who waits. */
    private void tick() {
        guarded(() -> {
            if (phase == Phase.DONE) {
                return;
            }
            long nowNs = nanoTime.getAsLong();
            if (phase != Phase.CONNECTING) {
                double tokensPerS = recorder.sample(nowNs, running).tokens();
                live.at(new Live(phase == Phase.WARMUP ? "warm-up" : phase == Phase.MEASURING ? "measuring" : "draining",
                        done(nowNs),
                        tokensPerS, running, lanes.size() + idle.open(), recorder.finishedSoFar(), recorder.ttftSoFar(50),
                        recorder.ttftSoFar(99), breaches.count()));
                lanes.all().forEach(lane -> readers.silent(lane, nowNs));
            } else {
                live.at(new Live("connecting", 0, 0, 0, lanes.size() + idle.open(), 0, 0, 0, 0));
            }
            maybeDone();
            io.after(SAMPLE_NS, this::tick);
        });
    }

    private double done(long nowNs) {
        if (plan.requests().isPresent()) {
            return Math.min(1, (double) recorder.finishedSoFar() / plan.requests().getAsLong());
        }
        long endNs = phase == Phase.DRAINING ? drainNs : nowNs;
        return Math.min(1, (endNs - startNs) / (double) plan.warmup().plus(plan.duration()).toNanos());
    }
}

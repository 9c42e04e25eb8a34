package dev.tidestream.loadtest.run;

import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.plan.Arrivals;
import dev.tidestream.loadtest.plan.Conversation;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.plan.Prompt;
import dev.tidestream.loadtest.plan.Workload;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;

/**
 * Who comes when: users of a closed loop, arrivals of an open one, and the next turns of conversations. On the I/O thread.
 *
 * <p>In an open loop whoever finds no room waits at the client, and the clock runs: latencies count from the intended start, so
 * a server that stalls cannot hide the requests that it kept from starting (coordinated omission; G. Tene, "How NOT to Measure
 * Latency", 2013). In a closed loop the client decides when to start, so its own waiting is no latency.
 */
final class Starter {
    private static final long ADJUST_NS = 20_000_000;

    /** The run that streams are started for. */
    interface Run {
        /** Whether streams may start. */
        boolean isGoing();

        /** @param alone for one stream at a time */
        void openLane(boolean alone);

        /** As many measured requests as were asked for have been sent. */
        void enough();

        Promises promises();

        /** Runs what a timer calls, so that a fault of ours ends the run. */
        void guarded(Runnable task);
    }

    /**
     * Somebody who wants to begin a turn, and how it will misbehave.
     *
     * @param repeats what it asks for again; null: nothing
     */
    private record Due(long intendedNs, Conversation conversation, Stream.Fault fault, Repeats.@Nullable Answered repeats) {
        /**
         * Whoever does not read its socket does so on one of its own: others on it would wait for the client, not for the
         * server. So does whoever breaks it off to go on elsewhere: others on it would be gone.
         */
        boolean alone() {
            return fault == Stream.Fault.SLOW || fault == Stream.Fault.RESUME;
        }
    }

    private final LoadPlan plan;
    private final Servers servers;
    private final Target target; // what all servers have in common
    private final Io io;
    private final Workload workload;
    private final StreamRequest.Sampling sampling;
    private final LongSupplier nanoTime;
    private final @Nullable AdminDriver admin;
    private final Lanes lanes;
    private final Ledger ledger;
    private final Run run;
    private final Repeats repeats;
    private final SplittableRandom random;
    private final Queue<Due> waiting = new PriorityQueue<>(Comparator.comparingLong(Due::intendedNs));
    private final Queue<Due> waitingAlone = new PriorityQueue<>(Comparator.comparingLong(Due::intendedNs));
    private long openNs;
    private double nextArrivalS;
    private long number;
    private long measuredSent;
    private int thinking;

    Starter(LoadPlan plan, Servers servers, Io io, Workload workload, StreamRequest.Sampling sampling, LongSupplier nanoTime,
            @Nullable AdminDriver admin, Lanes lanes, Ledger ledger, Run run) {
        this.plan = plan;
        this.servers = servers;
        this.target = servers.first();
        this.io = io;
        this.workload = workload;
        this.sampling = sampling;
        this.nanoTime = nanoTime;
        this.admin = admin;
        this.lanes = lanes;
        this.ledger = ledger;
        this.run = run;
        this.repeats = new Repeats(run.promises(), target.framesAreItsOwn());
        this.random = new SplittableRandom(plan.seed());
    }

    /** Connections to open before anything begins. */
    int firstLanes() {
        return switch (plan.arrivals()) {
            case Arrivals.Closed closed -> Math.max(servers.size(), (int) Math.ceil(Math.round(closed.profile().highest())
                    / (double) Math.min(plan.streamsPerConnection(), target.streamsPerConnection())));
            case Arrivals.Open _ -> servers.size();
        };
    }

    /** @param nowNs the load begins; the window opens when the warm-up is over */
    void begin(long nowNs) {
        openNs = nowNs + plan.warmup().toNanos();
        nextArrivalS = -plan.warmup().toNanos() / 1e9;
        switch (plan.arrivals()) {
            case Arrivals.Closed closed -> {
                if (!closed.profile().isConstant()) {
                    adjust();
                }
            }
            case Arrivals.Open open -> arrive(open);
        }
        fill();
    }

    private void adjust() {
        if (run.isGoing()) {
            fill();
            io.after(ADJUST_NS, () -> run.guarded(this::adjust));
        }
    }

    /** All arrivals that are due, then a timer for the next one. */
    private void arrive(Arrivals.Open open) {
        if (!run.isGoing()) {
            return;
        }
        long nowNs = nanoTime.getAsLong();
        while (nextArrivalNs() <= nowNs) {
            arrives(nextArrivalNs());
            nextArrivalS = open.after(nextArrivalS, plan.duration().toNanos() / 1e9, random);
        }
        fill();
        io.after(nextArrivalNs() - nanoTime.getAsLong(), () -> run.guarded(() -> arrive(open)));
    }

    private long nextArrivalNs() {
        return openNs + Math.round(nextArrivalS * 1e9);
    }

    /** Starts what can be started. */
    void fill() {
        boolean started = true;
        while (started && run.isGoing()) {
            while (plan.arrivals() instanceof Arrivals.Closed && waiting.isEmpty() && hasPlace()) {
                arrives(nanoTime.getAsLong());
            }
            boolean shared = start(waiting, false);
            boolean alone = start(waitingAlone, true);
            started = shared || alone;
        }
    }

    /** Somebody new comes, or who asks again what somebody has asked. */
    private void arrives(long intendedNs) {
        if (plan.repeatShare() > 0 && random.nextDouble() < plan.repeatShare()) {
            Optional<Repeats.Answered> before = repeats.pick(random);
            if (before.isPresent()) {
                waiting.add(new Due(intendedNs, Conversation.of(before.get().prompt()), Stream.Fault.NONE, before.get()));
                return;
            }
        }
        enqueue(intendedNs, workload.next(random));
    }

    private void enqueue(long intendedNs, Conversation conversation) {
        Due due = new Due(intendedNs, conversation, Readers.fault(plan.faults(), random.nextDouble()), null);
        (due.alone() ? waitingAlone : waiting).add(due);
    }

    /** Starts the one that is due first, if there is a connection with room for it. */
    private boolean start(Queue<Due> queue, boolean alone) {
        if (queue.isEmpty()) {
            return false;
        }
        Lane lane = lanes.withRoom(alone);
        if (lane != null) {
            send(lane, queue.remove());
            return true;
        }
        boolean another = alone
                ? lanes.size(true) == 0 || lanes.size() < plan.maxConnections() // one there must be
                : plan.arrivals() instanceof Arrivals.Open && lanes.size() < plan.maxConnections();
        if (another && lanes.connecting(alone) == 0) {
            run.openLane(alone);
        }
        return false;
    }

    /** Whether a closed loop has fewer users than it shall have. */
    private boolean hasPlace() {
        return lanes.running() + thinking + waiting.size() + waitingAlone.size() < Math.round(ledger.level(nanoTime.getAsLong()));
    }

    private void send(Lane lane, Due due) {
        Link link = lane.link();
        if (link == null) {
            throw new IllegalStateException("no connection: lane=" + lane.number);
        }
        Prompt prompt = due.conversation().next();
        long index = number++;
        OptionalInt credit = Readers.firstCredit(plan.credit());
        boolean follow = random.nextDouble() < plan.followShare() && due.repeats() == null;
        long seed = due.repeats() == null ? sampling.seed() + index : due.repeats().seed();
        int faultAfter = random.nextInt(1, Math.max(2, prompt.maxTokens() / 2));
        long nowNs = nanoTime.getAsLong();
        long intendedNs = plan.arrivals() instanceof Arrivals.Closed ? nowNs : due.intendedNs();
        boolean measured = ledger.whole().measures(intendedNs);
        StreamCheck check = new StreamCheck("s" + index + (follow ? " (follow)" : " (pin)"), prompt.maxTokens(), follow,
                admin == null ? 0 : admin.acknowledgedVersion(), credit, target.framesAreItsOwn(), run.promises());
        Stream stream = new Stream("s" + index, intendedNs, nowNs, measured, due.conversation(), prompt, seed, due.repeats(),
                plan.repeatShare() > 0, check, due.fault(), faultAfter);
        stream.granted = credit.orElse(0);
        stream.server = lane.server;
        lane.started++;
        lane.running.put(stream.id, stream);
        link.start(new StreamRequest(stream.id, prompt, follow, credit,
                new StreamRequest.Sampling(sampling.temperature(), seed, sampling.suppressed()), resumable(due)));
        if (measured) {
            ledger.sent(stream);
            measuredSent++;
            if (plan.requests().isPresent() && measuredSent >= plan.requests().getAsLong()) {
                run.enough();
            }
        }
    }

    /** Where one of several servers may be killed, each stream has to be able to go on at another. */
    private boolean resumable(Due due) {
        return due.fault() == Stream.Fault.RESUME || (servers.size() > 1 && plan.faults().kills() && target.framesAreItsOwn());
    }

    /**
     * A stream has come to its own end and is on its lane no more: its user thinks, and goes on with the conversation.
     *
     * @param usedTokens prompt and output as the server counts them
     */
    void ended(Stream stream, int usedTokens) {
        if (plan.repeatShare() > 0) {
            repeats.finished(stream).filter(_ -> (stream.resumed || stream.disturbed) && run.isGoing()).ifPresent(answered -> waiting.add(
                    new Due(nanoTime.getAsLong(), Conversation.of(answered.prompt()), Stream.Fault.NONE, answered))); // undisturbed
        }
        Conversation conversation = stream.conversation;
        conversation.answered(stream.answerTokens(), stream.answerText(), usedTokens);
        if (!run.isGoing() || !conversation.hasNext() || (plan.arrivals() instanceof Arrivals.Closed && !hasPlace())) {
            return;
        }
        long dueNs = nanoTime.getAsLong() + plan.think().toNanos();
        if (plan.think().isZero()) {
            enqueue(dueNs, conversation);
            return;
        }
        thinking++;
        io.after(plan.think().toNanos(), () -> run.guarded(() -> {
            thinking--;
            enqueue(dueNs, conversation);
            fill();
        }));
    }
}

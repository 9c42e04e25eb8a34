package dev.tidestream.server.cluster.gateway;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.cluster.route.Obstacle;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;

/**
 * One stream of a gateway's client, wherever it is computed. It lends its subscriber's demand to the run of the day, and has no buffer:
 * an event is asked for only where there is demand, but for the second {@code accepted} of a stream that goes on elsewhere, which the
 * client is not told. What is not used by events that the client gets (progress of a prompt that is computed anew) is asked for again.
 *
 * <p>State belongs to the tasks of one {@link Serial}; events of a run that is not the stream's any more count for nothing, so no token
 * can be told twice, and the next one is that behind the last told, so none can be lost.
 */
final class RelayedStream implements Subscription {
    private static final Logger log = LoggerFactory.getLogger(RelayedStream.class);
    private static final long WINDOW = 256; // units asked for in advance, however many the subscriber wants

    private final RemoteEngine engine;
    private final long number;
    private final StreamMemory memory;
    private final Serial serial = new Serial();
    private final AtomicBoolean begun = new AtomicBoolean();
    private final Set<String> without = new HashSet<>(); // nodes that this search is not to choose
    private @Nullable CoreSubscriber<? super TokenEvent> subscriber;
    private long demand;
    private volatile @Nullable RelayRun run;
    private long[] hashes = {};
    private @Nullable EngineException refusal; // of the worker that was asked last
    private boolean stopRequested;
    private boolean ended;
    private boolean lost; // whether it had a worker, and searches another
    private long lostAtNs;
    private int losses; // one after the other, without a token in between
    private boolean wentOn; // on another worker, so that this one's clock does not tell how long it took
    private long arrivalNs;
    private long firstTokenNs;

    /** @param number the gateway's number of it */
    RelayedStream(RemoteEngine engine, long number, GenerateRequest request) {
        this.engine = engine;
        this.number = number;
        this.memory = new StreamMemory(request);
    }

    /** The one who gets the events; false for a second one. */
    boolean subscribed(CoreSubscriber<? super TokenEvent> newcomer) {
        if (!begun.compareAndSet(false, true)) {
            return false;
        }
        arrivalNs = engine.nanoTime();
        subscriber = newcomer;
        engine.began(this);
        newcomer.onSubscribe(this);
        engine.hash(memory.request(), known -> serial.run(() -> {
            hashes = known;
            place();
        }));
        return true;
    }

    /** Node of the worker that has it; null if none has. Any thread. */
    @Nullable String node() {
        RelayRun now = run;
        return now == null ? null : now.node();
    }

    @Override
    public void request(long n) {
        serial.run(() -> {
            if (n <= 0) {
                end(new IllegalArgumentException("demand must be positive (Reactive Streams, rule 3.9): n=" + n));
            } else {
                demand = Operators.addCap(demand, n);
                ask();
            }
        });
    }

    @Override
    public void cancel() {
        serial.run(() -> {
            subscriber = null;
            end(null);
        });
    }

    /** Any thread, at any time. */
    void stop() {
        serial.run(() -> {
            stopRequested = true;
            RelayRun now = run;
            if (now != null) {
                now.stop();
            }
        });
    }

    /** The gateway ends. */
    void shutDown() {
        serial.run(() -> end(new EngineException(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN)));
    }

    /** Its worker drains: another takes it, if one can. */
    void move() {
        serial.run(() -> {
            RelayRun now = run;
            if (ended || now == null) {
                return;
            }
            RemoteEngine.Chosen chosen = engine.choose(memory, hashes, Set.of(now.node())).orElse(null);
            if (chosen != null) {
                run = null;
                now.cancel();
                engine.counters().moved.increment();
                searches();
                start(chosen);
            }
        });
    }

    /** Runs a task of a run, if it is still the stream's. Any thread. */
    void on(RelayRun by, Consumer<RelayRun> task) {
        serial.run(() -> {
            if (by == run && !ended) {
                task.accept(by);
                ask();
            }
        });
    }

    private void ask() {
        RelayRun now = run;
        if (now != null && !ended) {
            long untold = memory.accepted() != null && !now.isAccepted() ? 1 : 0;
            now.ask(Math.min(demand, WINDOW) + untold, WINDOW / 2);
        }
    }

    // ---- where it runs

    private void searches() {
        if (!lost) {
            lost = true;
            lostAtNs = engine.nanoTime();
        }
    }

    private void place() {
        if (ended) {
            return;
        }
        RemoteEngine.Chosen chosen = engine.choose(memory, hashes, without).orElse(null);
        if (chosen != null) {
            start(chosen);
        } else if (!lost && !isOnItsWay()) {
            end(refusal != null ? refusal : Refusal.of(engine.obstacle(memory), memory, engine.publishedVersion()));
        } else if (isLate()) {
            end(late());
        } else if (waitedNs() >= engine.timing().failover().toNanos()) {
            engine.counters().givenUp.increment();
            end(refusal != null ? refusal : new EngineException(ErrorCode.BUSY,
                    "the worker of the stream was lost, and no other could take it: waited_ms=%d, reason=%s"
                            .formatted(TimeUnit.NANOSECONDS.toMillis(waitedNs()), engine.obstacle(memory))));
        } else {
            without.clear();
            engine.later(() -> serial.run(this::placeAgain));
        }
    }

    /** Whether the newest weights are all that it waits for, and it did not ask for them: the worker that had them first has gone. */
    private boolean isOnItsWay() {
        boolean waits = refusal == null && engine.obstacle(memory) == Obstacle.VERSION && memory.takesAnyVersion();
        if (waits) {
            searches();
        }
        return waits;
    }

    private boolean isLate() {
        Urgency urgency = memory.request().options().urgency();
        return urgency.hasDeadline() && engine.nanoTime() - arrivalNs >= TimeUnit.MILLISECONDS.toNanos(urgency.deadlineMs());
    }

    private EngineException late() {
        return new EngineException(ErrorCode.DEADLINE_EXCEEDED, "not done in time: deadline_ms=%d, stream=%d"
                .formatted(memory.request().options().urgency().deadlineMs(), number));
    }

    private void placeAgain() {
        if (run == null) {
            place();
        }
    }

    private long waitedNs() {
        return engine.nanoTime() - lostAtNs;
    }

    private void start(RemoteEngine.Chosen chosen) {
        GenerateRequest request = memory.from(TimeUnit.NANOSECONDS.toMillis(engine.nanoTime() - arrivalNs));
        if (request == null) {
            end(late());
            return;
        }
        RelayRun next = new RelayRun(this, chosen.worker().node(), chosen.worker().generate(request));
        run = next;
        next.begin();
        if (stopRequested) {
            next.stop();
        }
    }

    /** Of the run that is the stream's. */
    void failed(RelayRun by, Throwable error) {
        run = null;
        switch (error) {
            case WorkerLostException e -> {
                engine.counters().failovers.increment();
                log.info("a stream has lost its worker: stream={}, node={}, tokens={}", number, by.node(), memory.next());
                if (++losses > engine.timing().maxLosses()) {
                    end(new EngineException(ErrorCode.INTERNAL,
                            "the stream has lost its worker again and again: workers=%d, stream=%d".formatted(losses, number)));
                } else {
                    elsewhere(by.node(), null);
                }
            }
            case EngineException e when e.code() == ErrorCode.SHUTTING_DOWN -> elsewhere(by.node(), null);
            case EngineException e when !by.isAccepted() && Refusal.mayDifferElsewhere(e.code()) -> refusedBy(by.node(), e);
            default -> end(error);
        }
    }

    private void elsewhere(String node, @Nullable EngineException why) {
        searches();
        refusedBy(node, why);
    }

    private void refusedBy(String node, @Nullable EngineException why) {
        refusal = why;
        without.add(node);
        place();
    }

    /** Of the run that is the stream's: without a last word, which no engine does. */
    void completed(RelayRun by) {
        failed(by, new WorkerLostException(by.node(), "it completed without a finish"));
    }

    // ---- what it says

    /** Of the run that is the stream's. */
    void take(RelayRun by, TokenEvent event) {
        by.hasOneLess();
        switch (event) {
            case TokenEvent.Accepted a -> accepted(by, a);
            case TokenEvent.Progress p -> {
                if (!memory.hasTokens() && memory.scores() == 0) {
                    tell(p);
                }
            }
            case TokenEvent.Scored s -> scored(by.scored(s.scores().size()), s.scores());
            case TokenEvent.Token t -> token(t);
            case TokenEvent.Stopped s -> {
                tell(new TokenEvent.Stopped(whole(s.finish())));
                complete();
            }
        }
    }

    private void accepted(RelayRun by, TokenEvent.Accepted a) {
        by.accepted();
        without.clear();
        refusal = null;
        if (lost) {
            lost = false;
            wentOn = true;
            engine.counters().pausedNanos.add(waitedNs());
        }
        TokenEvent.Accepted first = memory.accepted();
        if (first == null) {
            memory.accepted(a);
            tell(new TokenEvent.Accepted(number, a.seed(), a.weightsVersion(), a.headMode(), a.promptTokens(), a.promptSha256(), a.renderedAt(),
                    a.adapter()));
        } else if (first.promptTokens() != a.promptTokens() || first.seed() != a.seed()) {
            fault("another worker has another prompt: node=%s, tokens=%d, was=%d".formatted(by.node(), a.promptTokens(), first.promptTokens()));
        }
    }

    private void scored(int before, List<TokenEvent.Score> scores) {
        int known = Math.clamp(memory.scores() - before, 0, scores.size());
        if (known < scores.size()) {
            memory.scored(scores.size() - known);
            tell(new TokenEvent.Scored(scores.subList(known, scores.size())));
        }
    }

    private void token(TokenEvent.Token t) {
        if (t.seq() != memory.next()) {
            fault("a worker has left tokens out: seq=%d, expected=%d".formatted(t.seq(), memory.next()));
            return;
        }
        if (!memory.hasTokens()) {
            firstTokenNs = engine.nanoTime();
        }
        losses = 0;
        memory.token(t);
        engine.counters().tokens.increment();
        TokenEvent.Finish finish = t.finish();
        if (finish == null) {
            tell(t);
        } else {
            tell(new TokenEvent.Token(t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs(), whole(finish)));
            complete();
        }
    }

    /** An end whose times are of the whole stream, not of its last worker alone. */
    private TokenEvent.Finish whole(TokenEvent.Finish finish) {
        if (!wentOn) {
            return finish;
        }
        long nowNs = engine.nanoTime();
        int tokens = finish.usage().completionTokens();
        boolean any = memory.hasTokens();
        double perS = any && tokens > 1 && nowNs > firstTokenNs ? (tokens - 1) * 1e9 / (nowNs - firstTokenNs) : 0;
        return new TokenEvent.Finish(finish.reason(), finish.usage(), new Timing(finish.timing().queueMs(),
                any ? (firstTokenNs - arrivalNs) / 1e6 : 0, (nowNs - arrivalNs) / 1e6, perS), finish.evidence());
    }

    private void fault(String message) {
        log.error("a relayed stream is at fault: stream={}, {}", number, message);
        end(new EngineException(ErrorCode.INTERNAL, ServerTexts.FAULT + ": stream=" + number));
    }

    private void tell(TokenEvent event) {
        if (demand != Long.MAX_VALUE) {
            demand--;
        }
        CoreSubscriber<? super TokenEvent> to = subscriber;
        if (to != null) {
            to.onNext(event);
        }
    }

    private void complete() {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        subscriber = null;
        run = null; // it has ended by itself
        end(null);
        if (to != null) {
            to.onComplete();
        }
    }

    /** Nothing more comes; null if nobody is to be told. */
    private void end(@Nullable Throwable error) {
        if (ended) {
            return;
        }
        ended = true;
        RelayRun now = run;
        run = null;
        engine.ended(this);
        if (now != null) {
            now.cancel();
        }
        CoreSubscriber<? super TokenEvent> to = subscriber;
        subscriber = null;
        if (error != null && to != null) {
            to.onError(error);
        }
    }
}

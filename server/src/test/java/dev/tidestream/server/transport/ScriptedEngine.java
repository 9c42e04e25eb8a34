package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * An engine that keeps the contract and knows no model: the prompt is its script, one step of one thread is one event.
 * {@code "refuse"}: busy; {@code "crash"}: a fault after two tokens; {@code "throw"}: generate itself throws;
 * {@code "vanish"}: completes without a finish; {@code "prefill"}: three progress events first; {@code "hold"}: no token
 * until it is stopped; {@code "late"}: one more token after a stop, as a decode loop in the middle of a step would;
 * {@code "long"}: tokens of 1,000 characters; anything else: {@code maxTokens} tokens.
 */
final class ScriptedEngine implements Engine, AutoCloseable {
    private static final TokenEvent.Finish NOTHING = finish(FinishReason.CANCELLED, 0);

    private final ExecutorService decodeThread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("scripted-decode").daemon().factory());
    private final AtomicLong numbers = new AtomicLong();
    private final Map<Long, Sequence> running = new ConcurrentHashMap<>();
    private final Queue<CompletableFuture<@Nullable Void>> changes = new ConcurrentLinkedQueue<>();
    private final Queue<RequestTrace> traces = new ConcurrentLinkedQueue<>();
    private final Queue<String> prompts = new ConcurrentLinkedQueue<>();
    final Queue<GenerateRequest> requests = new ConcurrentLinkedQueue<>();
    final AtomicInteger cancelled = new AtomicInteger();
    final AtomicLong emitted = new AtomicLong();
    final AtomicLong mostDemand = new AtomicLong();

    @Override
    public Generation generate(GenerateRequest request) {
        if ("throw".equals(request.prompt())) {
            throw new IllegalStateException("scripted");
        }
        requests.add(request);
        return new Script(request);
    }

    private final class Script extends Flux<TokenEvent> implements Generation {
        private final GenerateRequest request;
        private volatile @Nullable Sequence begun;

        Script(GenerateRequest request) {
            this.request = request;
        }

        @Override
        public Flux<TokenEvent> events() {
            return this;
        }

        @Override
        public void subscribe(CoreSubscriber<? super TokenEvent> subscriber) {
            Sequence sequence = new Sequence(request, subscriber);
            begun = sequence;
            subscriber.onSubscribe(sequence);
        }

        @Override
        public void stop() {
            Sequence sequence = begun;
            if (sequence != null) {
                decodeThread.execute(() -> {
                    sequence.stopped = true;
                    sequence.step();
                });
            }
        }
    }

    final Sinks.Many<Long> versions = Sinks.many().replay().latestOrDefault(1L);

    @Override
    public Flux<Long> weightsVersions() {
        return versions.asFlux().onBackpressureLatest();
    }

    /** Whether every stream that runs is without demand. */
    boolean allStalled() {
        return running.values().stream().allMatch(sequence -> sequence.stalled);
    }

    /** The prompts so far, of all streams. */
    List<String> prompts() {
        return List.copyOf(prompts);
    }

    /** Where the requests so far belong in their callers' traces. */
    List<RequestTrace> traces() {
        return List.copyOf(traces);
    }

    int running() {
        return running.size();
    }

    /** Waits, event by event, until the condition holds. */
    void await(BooleanSupplier condition) throws InterruptedException {
        long deadlineNs = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            CompletableFuture<@Nullable Void> change = new CompletableFuture<>();
            changes.add(change);
            if (condition.getAsBoolean()) {
                return;
            }
            try {
                change.get(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException e) {
                throw new AssertionError("the engine did not get there: running=" + running + ", emitted=" + emitted
                        + ", cancelled=" + cancelled, e);
            }
        }
    }

    private void changed() {
        CompletableFuture<@Nullable Void> change;
        while ((change = changes.poll()) != null) {
            change.complete(null);
        }
    }

    @Override
    public void close() {
        decodeThread.shutdownNow();
    }

    private static TokenEvent.Finish finish(FinishReason reason, int tokens) {
        return new TokenEvent.Finish(reason, new Usage(3, tokens), new Timing(0.5, 1, 2, 1000));
    }

    /** State belongs to the decode thread. */
    private final class Sequence implements Subscription {
        private final GenerateRequest request;
        private final CoreSubscriber<? super TokenEvent> subscriber;
        private final long number = numbers.incrementAndGet();
        private final String script;
        private final Queue<TokenEvent> preface = new ArrayDeque<>();
        private long demand;
        private int seq;
        private boolean stopped;
        private boolean done;
        private volatile boolean cancelledByClient;
        private volatile boolean stalled;

        Sequence(GenerateRequest request, CoreSubscriber<? super TokenEvent> subscriber) {
            this.request = request;
            this.subscriber = subscriber;
            this.script = request.prompt() != null ? request.prompt()
                    : request.messages().isEmpty() ? text(request.tokens()) : request.messages().getLast().content();
            preface.add(new TokenEvent.Accepted(number, request.sampling().seed().orElse(number * 10), 1, "packed", 3));
            if (script.equals("prefill")) {
                for (int i = 1; i <= 3; i++) {
                    preface.add(new TokenEvent.Progress(i * 100, 300));
                }
            }
            prompts.add(script);
            traces.add(request.options().trace());
            running.put(number, this);
        }

        @Override
        public void request(long n) {
            decodeThread.execute(() -> {
                demand += n;
                mostDemand.accumulateAndGet(demand, Math::max);
                step();
            });
        }

        @Override
        public void cancel() {
            cancelledByClient = true;
            decodeThread.execute(() -> {
                if (!done) {
                    done = true;
                    running.remove(number);
                    cancelled.incrementAndGet();
                    changed();
                }
            });
        }

        private static String text(int @Nullable [] tokens) {
            StringBuilder text = new StringBuilder();
            for (int token : tokens == null ? new int[0] : tokens) {
                text.append((char) token);
            }
            return text.toString();
        }

        private void step() {
            if (script.equals("refuse")) {
                end(new EngineException(ErrorCode.BUSY, "the queue is full: waiting=1, limit=1"));
            }
            while (!done && !cancelledByClient && demand > 0) {
                if (!preface.isEmpty()) {
                    emit(preface.remove());
                } else if (request.maxTokens() == 0) {
                    emit(new TokenEvent.Stopped(finish(FinishReason.LENGTH, 0)));
                    end(null);
                } else if (stopped && !(script.equals("late") && seq++ == 0)) {
                    emit(new TokenEvent.Stopped(stoppedAt()));
                    end(null);
                } else if (script.equals("hold") || (script.equals("late") && !stopped)) {
                    break;
                } else if (script.equals("crash") && seq == 2) {
                    end(new IllegalStateException("scripted"));
                } else if (script.equals("vanish")) {
                    end(null);
                } else {
                    token();
                }
            }
            stalled = demand == 0;
            changed();
        }

        private TokenEvent.Finish stoppedAt() {
            return seq == 0 ? NOTHING : finish(FinishReason.CANCELLED, seq);
        }

        private void token() {
            boolean last = seq + 1 == request.maxTokens();
            String text = script.equals("long") ? "x".repeat(1000) : " w" + seq;
            emit(new TokenEvent.Token(seq, 100 + seq, text, 1, null, List.of(),
                    last ? finish(FinishReason.LENGTH, seq + 1) : null));
            seq++;
            if (last) {
                end(null);
            }
        }

        private void emit(TokenEvent event) {
            demand--;
            emitted.incrementAndGet();
            subscriber.onNext(event);
        }

        private void end(@Nullable Throwable error) {
            if (done) {
                return;
            }
            done = true;
            running.remove(number);
            if (error == null) {
                subscriber.onComplete();
            } else {
                subscriber.onError(error);
            }
        }

        @Override
        public String toString() {
            return script + "{demand=" + demand + ", seq=" + seq + "}";
        }
    }
}

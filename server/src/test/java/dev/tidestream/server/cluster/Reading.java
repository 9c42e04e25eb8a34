package dev.tidestream.server.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A subscriber that keeps what it gets, and says when it has got so much. */
final class Reading extends BaseSubscriber<TokenEvent> {
    private static final int PATIENCE_S = 30;

    final Generation generation;
    private final List<TokenEvent> events = new ArrayList<>(); // guarded by this
    private final CompletableFuture<@Nullable Throwable> end = new CompletableFuture<>();
    private final long first;
    private int waitedFor = Integer.MAX_VALUE;
    private @Nullable CountDownLatch waiting;

    private Reading(Generation generation, long first) {
        this.generation = generation;
        this.first = first;
    }

    /** @param demand at the begin */
    static Reading of(Generation generation, long demand) {
        Reading reading = new Reading(generation, demand);
        generation.events().subscribe(reading);
        return reading;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        if (first > 0) {
            subscription.request(first);
        }
    }

    @Override
    protected synchronized void hookOnNext(TokenEvent event) {
        events.add(event);
        if (tokens().size() >= waitedFor && waiting != null) {
            waiting.countDown();
        }
    }

    @Override
    protected void hookOnError(Throwable error) {
        end.complete(error);
    }

    @Override
    protected void hookOnComplete() {
        end.complete(null);
    }

    synchronized List<TokenEvent.Token> tokens() {
        return events.stream().filter(TokenEvent.Token.class::isInstance).map(TokenEvent.Token.class::cast).toList();
    }

    synchronized List<TokenEvent> events() {
        return List.copyOf(events);
    }

    /** Waits until so many tokens are there. */
    void awaitTokens(int count) throws InterruptedException {
        CountDownLatch latch = new CountDownLatch(1);
        synchronized (this) {
            waitedFor = count;
            waiting = latch;
            if (tokens().size() >= count) {
                return;
            }
        }
        assertEquals(true, latch.await(PATIENCE_S, TimeUnit.SECONDS), "tokens: " + tokens().size());
    }

    /** Waits for the end; null if it is as it should be. */
    @Nullable Throwable end() throws Exception {
        return end.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    /** The last event's finish. */
    TokenEvent.Finish finish() {
        return switch (events().getLast()) {
            case TokenEvent.Token t -> Objects.requireNonNull(t.finish());
            case TokenEvent.Stopped s -> s.finish();
            case TokenEvent.Accepted a -> throw new AssertionError(a.toString());
            case TokenEvent.Progress p -> throw new AssertionError(p.toString());
            case TokenEvent.Scored s -> throw new AssertionError(s.toString());
        };
    }
}

package dev.tidestream.server.resume;

import java.util.Objects;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

/** A connection's side of a {@link ResumableStream}: its tokens from one on, until it ends, or another connection has it. */
final class Attachment extends Flux<TokenEvent> implements Generation, Subscription {
    /** In the place of a token that the stream is run again from: it is not. */
    static final int AS_IT_RUNS = -1;

    private final ResumableStream stream;
    private final int runFrom;
    private @Nullable CoreSubscriber<? super TokenEvent> subscriber;
    private int next; // guarded by the stream, as are the next
    private long demand;
    private boolean told; // that it was accepted

    /**
     * @param next {@code seq} of the first token that is given
     * @param runFrom the token that the stream is run again from, or {@link #AS_IT_RUNS}
     */
    Attachment(ResumableStream stream, int next, int runFrom) {
        this.stream = stream;
        this.next = next;
        this.runFrom = runFrom;
    }

    @Override
    public Flux<TokenEvent> events() {
        return this;
    }

    @Override
    public void stop() {
        stream.stop(this);
    }

    @Override
    public void subscribe(CoreSubscriber<? super TokenEvent> newcomer) {
        subscriber = newcomer;
        newcomer.onSubscribe(this);
        stream.attach(this, runFrom);
    }

    @Override
    public void request(long n) {
        synchronized (stream) {
            if (n <= 0) {
                stream.end(this, new IllegalArgumentException("demand must be positive (Reactive Streams, rule 3.9): n=" + n));
                return;
            }
            demand = Operators.addCap(demand, n);
            stream.demandRose(this);
        }
    }

    @Override
    public void cancel() {
        stream.detach(this);
    }

    // What follows is the stream's, which holds its lock.

    CoreSubscriber<? super TokenEvent> subscriber() {
        return Objects.requireNonNull(subscriber, "nobody has subscribed");
    }

    /** Events that it may be given now. */
    long demand() {
        return demand;
    }

    /** {@code seq} of the token that it gets next. */
    int nextSeq() {
        return next;
    }

    /** Whether it knows that the stream was accepted, which comes first. */
    boolean told() {
        return told;
    }

    /** What is told to one that has the stream no more. */
    static EngineException resumed() {
        return new EngineException(ErrorCode.RESUMED, "the stream goes on on another connection");
    }

    /** Gives it the next of its tokens; false if it cannot have that, or not yet. */
    boolean giveToken(KeptTokens tokens) {
        if (next < tokens.firstKept()) {
            stream.end(this, new EngineException(ErrorCode.REPLAY_GONE,
                    "tokens are not kept any more: seq=%d, first=%d".formatted(next, tokens.firstKept())));
            return false;
        }
        if (demand == 0) {
            return false;
        }
        TokenEvent.Token token = tokens.get(next);
        give(token);
        if (token.finish() != null) {
            stream.end(this, null);
        }
        return true;
    }

    /** Gives it an event, for a unit of its demand. */
    void give(TokenEvent event) {
        if (demand != Long.MAX_VALUE) {
            demand--;
        }
        told = true; // by the first of them
        if (event instanceof TokenEvent.Token) {
            next++;
        }
        subscriber().onNext(event);
    }
}

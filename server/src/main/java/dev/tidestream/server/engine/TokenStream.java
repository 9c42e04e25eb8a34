package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.TopLogprob;
import dev.tidestream.server.scheduler.Completion;
import dev.tidestream.server.scheduler.GeneratedToken;
import dev.tidestream.server.scheduler.SequenceClient;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * One subscription: lends its demand to the scheduler and turns what comes of it into signals.
 *
 * <p>There is no buffer: an event is made only where there is demand, and handed over at once. {@code request} and {@code cancel}
 * come from any thread and only set state; signals are given by whoever holds the request, which is the subscriber's thread, then
 * the tokenizer's, then the decode thread. The hand-over queues order them, so signals are serial.
 */
final class TokenStream implements Subscription, SequenceClient {
    private static final Logger log = LoggerFactory.getLogger(TokenStream.class);
    private static final AtomicLongFieldUpdater<TokenStream> DEMAND =
            AtomicLongFieldUpdater.newUpdater(TokenStream.class, "demand");

    private final long stream;
    private final long seed;
    private final RequestTrace trace;
    private final LongSupplier stopped;
    private final Runnable wake;
    private volatile long demand;
    private volatile long invalidDemand = 1;
    private volatile boolean cancelled;
    private volatile boolean stopRequested;
    private @Nullable EvidenceBook evidence; // set before the decode thread has the stream, as is the next
    private @Nullable LocalDateTime renderedAt;
    private volatile @Nullable AdapterRef adapter;
    private @Nullable CoreSubscriber<? super TokenEvent> subscriber; // null before, and once there is nothing more to say

    /**
     * Before anybody subscribes.
     *
     * @param trace where its request belongs in its caller's
     * @param stopped up to which number all streams are stopped
     * @param wake tells the decode loop to look again
     */
    TokenStream(long stream, long seed, RequestTrace trace, LongSupplier stopped, Runnable wake) {
        this.stream = stream;
        this.seed = seed;
        this.trace = trace;
        this.stopped = stopped;
        this.wake = wake;
    }

    /** The one who gets the signals; once, before any of them. */
    void subscribed(CoreSubscriber<? super TokenEvent> newcomer) {
        subscriber = newcomer;
        newcomer.onSubscribe(this);
    }

    /**
     * Its prompt is made; before it is submitted.
     *
     * @param at what the template was told of the time; null if nothing
     * @param book where what a receipt needs is written down; null if there will be none
     */
    void prepared(@Nullable LocalDateTime at, @Nullable EvidenceBook book) {
        renderedAt = at;
        evidence = book;
    }

    long stream() {
        return stream;
    }

    long seed() {
        return seed;
    }

    /** Says what it is computed with, before it is accepted. */
    void computedWith(AdapterRef served) {
        adapter = served;
    }

    @Override
    public void request(long n) {
        if (n <= 0) {
            invalidDemand = n;
            wake.run();
        } else if (Operators.addCap(DEMAND, this, n) == 0) {
            wake.run();
        }
    }

    @Override
    public void cancel() {
        if (!cancelled) {
            cancelled = true;
            wake.run();
        }
    }

    /** Any thread, at any time. */
    void stop() {
        stopRequested = true;
        wake.run();
    }

    @Override
    public long demand() {
        return demand;
    }

    @Override
    public RequestTrace trace() {
        return trace;
    }

    /** A subscriber that has asked for no demand or less hears of that here (Reactive Streams, rule 3.9). */
    @Override
    public boolean settle() {
        if (invalidDemand <= 0) {
            error(new IllegalArgumentException("demand must be positive (Reactive Streams, rule 3.9): n=" + invalidDemand));
        }
        if (cancelled) {
            subscriber = null;
        }
        return subscriber == null;
    }

    @Override
    public boolean stopRequested() {
        return stopRequested || stream <= stopped.getAsLong();
    }

    @Override
    public void accepted(long weightsVersion, HeadMode headMode, int promptTokens) {
        if (evidence != null) {
            evidence.accepted(weightsVersion, headMode);
        }
        next(new TokenEvent.Accepted(stream, seed, weightsVersion, headMode.wireName(), promptTokens,
                evidence == null ? null : evidence.promptSha256(), renderedAt, adapter));
    }

    @Override
    public void progress(int prefilled, int of) {
        next(new TokenEvent.Progress(prefilled, of));
    }

    @Override
    public void scored(List<Sample> scores) {
        List<TokenEvent.Score> told = new ArrayList<>(scores.size());
        for (Sample score : scores) {
            told.add(new TokenEvent.Score(score.token(), score.logprob(), topLogprobs(score)));
        }
        next(new TokenEvent.Scored(told));
    }

    @Override
    public void token(GeneratedToken t) {
        Sample sample = t.sample();
        if (evidence != null) {
            evidence.token(sample.token(), t.weightsVersion(), t.headMode());
        }
        Completion completion = t.completion();
        TokenEvent.Finish finish = completion == null ? null : finish(completion);
        Float logprob = Float.isNaN(sample.logprob()) ? null : (Float) sample.logprob();
        next(new TokenEvent.Token(
                t.seq(), sample.token(), t.text(), t.weightsVersion(), logprob, topLogprobs(sample), finish));
        if (finish != null) {
            complete();
        }
    }

    private static List<TopLogprob> topLogprobs(Sample sample) {
        List<TopLogprob> top = new ArrayList<>(sample.topTokens().length);
        for (int i = 0; i < sample.topTokens().length; i++) {
            top.add(new TopLogprob(sample.topTokens()[i], sample.topLogprobs()[i]));
        }
        return List.copyOf(top);
    }

    private TokenEvent.Finish finish(Completion completion) {
        Evidence closed = evidence == null ? null : evidence.close();
        return new TokenEvent.Finish(completion.reason(), completion.usage(), completion.timing(), closed);
    }

    @Override
    public void stopped(Completion completion) {
        next(new TokenEvent.Stopped(finish(completion)));
        complete();
    }

    @Override
    public void failed(ErrorCode code, String message) {
        error(new EngineException(code, message));
    }

    private void next(TokenEvent event) {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        if (to == null || cancelled) {
            return;
        }
        Operators.produced(DEMAND, this, 1);
        try {
            to.onNext(event);
        } catch (Throwable e) {
            log.error("subscriber threw, its stream is cancelled: stream={}, event={}", stream, event, e);
            cancel();
        }
    }

    private void complete() {
        signalEnd(null);
    }

    private void error(RuntimeException error) {
        signalEnd(error);
    }

    private void signalEnd(@Nullable RuntimeException error) {
        CoreSubscriber<? super TokenEvent> to = subscriber;
        subscriber = null;
        if (to == null || cancelled) {
            return;
        }
        try {
            if (error == null) {
                to.onComplete();
            } else {
                to.onError(error);
            }
        } catch (Throwable e) {
            log.error("subscriber threw at the end of its stream: stream={}", stream, e);
        }
    }
}

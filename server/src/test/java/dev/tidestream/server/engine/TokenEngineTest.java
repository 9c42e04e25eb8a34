package dev.tidestream.server.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.test.StepVerifier;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.engine.TokenEvent.Accepted;
import dev.tidestream.server.engine.TokenEvent.Finish;
import dev.tidestream.server.engine.TokenEvent.Stopped;
import dev.tidestream.server.engine.TokenEvent.Token;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.TokenObserver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TokenEngineTest extends EngineFixture {
    @Test
    void shouldTellOfNewWeightsAndConflateForTheSlow() {
        TokenEngine engine = manualEngine();
        StepVerifier.create(engine.weightsVersions(), 0)
                .thenRequest(1)
                .expectNext(3L)
                .then(() -> epochs.publish(new ModelEpoch(4, HeadMode.PACKED, model, () -> { })))
                .then(() -> epochs.publish(new ModelEpoch(5, HeadMode.PACKED, model, () -> { })))
                .then(() -> epochs.publish(new ModelEpoch(5, HeadMode.PACKED, model, () -> { }))) // another head mode
                .thenRequest(9)
                .expectNext(5L)
                .then(engine::close)
                .verifyComplete();
    }

    @Test
    void shouldEmitExactlyWhatIsAskedFor() {
        TokenEngine engine = manualEngine();
        StepVerifier.create(engine.generate(request("Hi", 5)).events(), 0)
                .expectSubscription()
                .then(() -> work(engine))
                .thenRequest(1)
                .then(() -> work(engine))
                .expectNext(new Accepted(1, 7, 3, "packed", 2))
                .thenRequest(2)
                .then(() -> work(engine))
                .expectNextMatches(e -> e instanceof Token t && t.seq() == 0)
                .expectNextMatches(e -> e instanceof Token t && t.seq() == 1 && t.logprob() != null)
                .then(() -> assertEquals(2, engine.stats().tokensGenerated()))
                .thenRequest(Long.MAX_VALUE)
                .then(() -> work(engine))
                .expectNextCount(2)
                .expectNextMatches(e -> e instanceof Token(_, _, _, _, _, _, Finish f) && f.reason() == FinishReason.LENGTH)
                .verifyComplete();
        assertEquals(0, engine.stats().kvUsedBytes());
        engine.close();
    }

    @Test
    void shouldStandStillAtItsCreditBesideOthersAndGoOn() {
        TokenEngine engine = manualEngine();
        Recorder starved = subscribe(engine, request("abc", 20));
        Recorder other = subscribe(engine, request("abc", 20));
        starved.request(4);
        other.requestUnbounded();
        work(engine);
        assertEquals(4, starved.events.size());
        assertTrue(other.completed);
        long rows = engine.stats().rows();
        work(engine);
        assertEquals(rows, engine.stats().rows());
        starved.requestUnbounded();
        work(engine);
        assertTrue(starved.completed);
        assertEquals(tokens(other), tokens(starved));
        engine.close();
    }

    @Test
    void shouldStopSilentlyOnCancelAndWithAWordOnStop() {
        TokenEngine engine = manualEngine();
        Recorder cancelled = subscribe(engine, request("abc", 100));
        Generation generation = engine.generate(request("abc", 100));
        Recorder stopped = new Recorder();
        generation.events().subscribe(stopped);
        cancelled.requestUnbounded();
        stopped.requestUnbounded();
        engine.loop().doWork();
        engine.loop().doWork();
        int events = cancelled.events.size();
        cancelled.cancel();
        cancelled.cancel();
        generation.stop();
        generation.stop();
        assertEquals(0, engine.loop().doWork());
        assertEquals(events, cancelled.events.size());
        assertTrue(cancelled.errors.isEmpty() && !cancelled.completed);
        Stopped last = assertInstanceOf(Stopped.class, stopped.events.getLast());
        assertEquals(FinishReason.CANCELLED, last.finish().reason());
        assertEquals(2, last.finish().usage().completionTokens());
        assertTrue(stopped.completed);
        assertEquals(0, engine.stats().running());
        engine.close();
    }

    @Test
    void shouldAcceptAStreamFirstThatWasStoppedBeforeThat() {
        TokenEngine engine = manualEngine();
        Generation generation = engine.generate(request("abc", 100));
        generation.stop();
        Recorder stopped = new Recorder();
        generation.events().subscribe(stopped);
        stopped.requestUnbounded();
        engine.loop().doWork();
        assertInstanceOf(TokenEvent.Accepted.class, stopped.events.getFirst());
        Stopped last = assertInstanceOf(Stopped.class, stopped.events.getLast());
        assertEquals(2, stopped.events.size(), "no step was made for it");
        assertEquals(0, last.finish().usage().completionTokens());
        assertTrue(stopped.completed);
        engine.close();
    }

    @Test
    void shouldTakeOneSubscriberForAStream() {
        TokenEngine engine = manualEngine();
        Generation generation = engine.generate(request("abc", 1));
        generation.events().subscribe(new Recorder());
        Recorder second = new Recorder();
        generation.events().subscribe(second);
        assertInstanceOf(IllegalStateException.class, second.errors.getFirst());
        engine.close();
    }

    @Test
    void shouldReportInvalidDemandAsAnError() {
        TokenEngine engine = manualEngine();
        List<Throwable> errors = new ArrayList<>();
        engine.generate(request("abc", 10)).events().subscribe(new reactor.core.CoreSubscriber<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                subscription.request(-5);
            }

            @Override
            public void onNext(TokenEvent event) {
                throw new AssertionError(event);
            }

            @Override
            public void onError(Throwable error) {
                errors.add(error);
            }

            @Override
            public void onComplete() { }
        });
        work(engine);
        assertEquals(1, errors.size());
        assertInstanceOf(IllegalArgumentException.class, errors.getFirst());
        assertEquals(0, engine.stats().queued());
        engine.close();
    }

    @Test
    void shouldEmitTheEndOfGenerationTokenAsTheLast() {
        TokenEngine engine = manualEngine();
        SamplingOptions toTheEnd = new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(0, 50f), OptionalLong.of(7));
        Recorder recorder = subscribe(
                engine, new GenerateRequest(null, new int[] {5}, 9, toTheEnd, List.of(), 2, WeightsPolicy.PIN));
        recorder.requestUnbounded();
        work(engine);
        Token last = assertInstanceOf(Token.class, recorder.events.getLast());
        assertEquals(2, recorder.events.size());
        assertEquals(0, last.token());
        assertEquals("", last.text());
        assertEquals(2, last.topLogprobs().size());
        assertEquals(model.next(new int[] {5}), last.topLogprobs().getFirst().token());
        Finish finish = last.finish();
        assertNotNull(finish);
        assertEquals(FinishReason.STOP, finish.reason());
        assertEquals(1, finish.usage().completionTokens());
        engine.close();
    }

    @Test
    void shouldChooseASeedThatJavaScriptCanHold() {
        TokenEngine engine = manualEngine();
        SamplingOptions unseeded = new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.empty());
        Recorder recorder = subscribe(engine, tokenRequest(unseeded, 5));
        recorder.requestUnbounded();
        work(engine);
        assertEquals((1L << 53) - 1, assertInstanceOf(Accepted.class, recorder.events.getFirst()).seed());
        engine.close();
    }

    @Test
    void shouldFailOnlyTheSequenceWhoseSubscriberFails() {
        TokenEngine engine = manualEngine();
        engine.generate(request("abc", 10)).events().subscribe(new reactor.core.CoreSubscriber<>() {
            @Override
            public void onSubscribe(Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
            }

            @Override
            public void onNext(TokenEvent event) {
                throw new IllegalStateException("as if");
            }

            @Override
            public void onError(Throwable error) { }

            @Override
            public void onComplete() { }
        });
        Recorder good = subscribe(engine, request("abc", 10));
        good.requestUnbounded();
        work(engine);
        assertTrue(good.completed);
        assertEquals(11, good.events.size());
        engine.close();
    }

    @Test
    void shouldRunOnItsOwnThreadsAndEndThem() throws Exception {
        TokenEngine engine = TokenEngine.start(CONFIG, new FakeTokenizer(), epochs, TokenObserver.NONE);
        for (int round = 0; round < 200; round++) {
            List<TokenEvent> events = engine.generate(request("Hi", 5)).events().collectList().block(PATIENCE);
            assertNotNull(events);
            assertEquals(6, events.size());
        }
        Recorder endless = subscribe(engine, request("a", 100));
        endless.request(3);
        engine.close();
        assertEquals(ErrorCode.SHUTTING_DOWN, endless.code());
        assertEquals(0, engine.stats().running());
        epochs.close();
        assertEquals(0, epochs.liveEpochs());
    }

    /** A prompt is with the tokenizer when the decode thread has long ended; close is not over before its stream is. */
    @Test
    void shouldWaitForAPromptThatIsBeingTokenizedWhenItCloses() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CompletableFuture<Thread> closing = new CompletableFuture<>();
        Tokenizer slow = new FakeTokenizer() {
            @Override
            public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
                encoding.countDown();
                Thread closer = closing.join();
                while (closer.isAlive() && !waitsForTermination(closer)) {
                    Thread.onSpinWait();
                }
                return super.encode(text, addSpecial, parseSpecial);
            }
        };
        TokenEngine engine = TokenEngine.start(CONFIG, slow, epochs, TokenObserver.NONE);
        Recorder recorder = subscribe(engine, request("a", 1));
        assertTrue(encoding.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        FutureTask<Boolean> close = new FutureTask<>(() -> {
            engine.close();
            return recorder.errors.isEmpty();
        });
        closing.complete(Thread.ofPlatform().daemon().start(close));
        assertFalse(close.get(PATIENCE.toSeconds(), TimeUnit.SECONDS), "closed, and the stream has no end");
        assertEquals(ErrorCode.SHUTTING_DOWN, recorder.code());
        epochs.close();
    }

    private static boolean waitsForTermination(Thread thread) {
        return Arrays.stream(thread.getStackTrace()).anyMatch(frame -> frame.getMethodName().equals("awaitTermination"));
    }

    @Test
    void shouldAnswerEveryStreamAndFreeTheBuilderWhenTheDecodeLoopDies() {
        AtomicBoolean broken = new AtomicBoolean(true);
        StepBreak breaks = new StepBreak();
        LongSupplier breaksInTheFirstStep = () -> {
            if (broken.get() && !breaks.free()) {
                throw new IllegalStateException("as if");
            }
            return 0;
        };
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), ChatPrompts.NONE, epochs, ServedAdapters.NONE, breaks,
                breaksInTheFirstStep, () -> -1L,
                Runnable::run, TokenObserver.NONE, WorkerTeam.sequential());
        Recorder running = subscribe(engine, request("abc", 10));
        running.requestUnbounded();
        engine.loop().run();
        assertEquals(ErrorCode.INTERNAL, running.code());
        assertTrue(engine.failed());
        assertEquals(ErrorCode.INTERNAL, subscribe(engine, request("abc", 10)).code());
        assertTrue(breaks.free(), "a builder would wait for a break that nobody gives");
        broken.set(false);
        engine.close();
    }

    @Test
    void shouldLoseNoWakeUpWhenDemandTrickles() {
        TokenEngine engine = TokenEngine.start(CONFIG, new FakeTokenizer(), epochs, TokenObserver.NONE);
        for (int round = 0; round < 20; round++) {
            Long count = engine.generate(request("Hi", 100)).events().limitRate(1).count().block(PATIENCE);
            assertEquals(101L, count);
        }
        engine.close();
    }

    @Test
    void shouldTakeOtherLimitsOfWhatWaits() {
        TokenEngine engine = manualEngine();
        for (int i = 0; i < 4; i++) {
            assertTrue(subscribe(engine, request("ab", 1)).errors.isEmpty(), "i=" + i);
        }
        Recorder refused = subscribe(engine, request("ab", 1));
        assertEquals("too many streams wait: limit=4, limit_bytes=1048576", refused.errors.getFirst().getMessage());
        engine.reconfigure(CONFIG.withLimits(CONFIG.prompts(), new QueueLimits(5, 1 << 20), CONFIG.stalled()));
        assertTrue(subscribe(engine, request("ab", 1)).errors.isEmpty());
        assertEquals(ErrorCode.BUSY, subscribe(engine, request("ab", 1)).code());
        engine.reconfigure(CONFIG.withLimits(CONFIG.prompts(), new QueueLimits(5, 1), CONFIG.stalled()));
        work(engine); // all that were taken in, but for those that the new limits have no room for
        assertEquals(ErrorCode.BUSY, subscribe(engine, request("ab", 1)).code());
        engine.close();
    }
}

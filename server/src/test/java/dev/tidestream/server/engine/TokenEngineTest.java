package dev.tidestream.server.engine;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.test.StepVerifier;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.engine.TokenEvent.Accepted;
import dev.tidestream.server.engine.TokenEvent.Finish;
import dev.tidestream.server.engine.TokenEvent.Stopped;
import dev.tidestream.server.engine.TokenEvent.Token;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.StallLimits;
import dev.tidestream.server.scheduler.TokenObserver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TokenEngineTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final EngineConfig CONFIG =
            new EngineConfig(4, 4, 1 << 20, 8, 0, new PromptLimits(2, 64, 1 << 20, 1 << 20), new QueueLimits(4, 1 << 20),
                    new StallLimits(4, 1 << 20, TimeUnit.SECONDS.toNanos(60)));
    private static final SamplingOptions GREEDY =
            new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.of(7));

    private final FakeLanguageModel model = new FakeLanguageModel(128, 32, 1);
    private final CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(3, HeadMode.PACKED, model, () -> { }));
    private long nowNs;

    private TokenEngine manualEngine() {
        return new TokenEngine(CONFIG, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, Runnable::run);
    }

    @SuppressWarnings("NullAway") // reads "int @Nullable []" from a class file as not null
    private static GenerateRequest request(String prompt, int maxTokens) {
        return new GenerateRequest(prompt, null, maxTokens, GREEDY, List.of(), 0, WeightsPolicy.PIN);
    }

    /** Keeps what it gets; asks for nothing by itself. */
    private static final class Recorder extends BaseSubscriber<TokenEvent> {
        final List<TokenEvent> events = new ArrayList<>();
        final List<Throwable> errors = new ArrayList<>();
        boolean completed;

        @Override
        protected void hookOnSubscribe(Subscription subscription) { }

        @Override
        protected void hookOnNext(TokenEvent event) {
            events.add(event);
        }

        @Override
        protected void hookOnComplete() {
            completed = true;
        }

        @Override
        protected void hookOnError(Throwable error) {
            errors.add(error);
        }

        ErrorCode code() {
            return assertInstanceOf(EngineException.class, errors.getFirst()).code();
        }
    }

    private static Recorder subscribe(Engine engine, GenerateRequest request) {
        Recorder recorder = new Recorder();
        engine.generate(request).events().subscribe(recorder);
        return recorder;
    }

    private static void work(TokenEngine engine) {
        int idle = 0;
        while (idle < 2) {
            idle = engine.loop().doWork() == 0 ? idle + 1 : 0;
        }
    }

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
                .expectNextMatches(e -> e instanceof Token(_, _, _, _, _, _, Finish(FinishReason reason, _, _)) && reason == FinishReason.LENGTH)
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

    private List<Integer> tokens(Recorder recorder) {
        return recorder.events.stream().filter(Token.class::isInstance).map(e -> ((Token) e).token()).toList();
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
    void shouldRefuseWithCodesAndNumbers() {
        TokenEngine engine = manualEngine();
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, request("", 1)));
        assertEquals(ErrorCode.PROMPT_TOO_LONG, refusal(engine, request("x".repeat(65), 1)));
        assertEquals(ErrorCode.PROMPT_TOO_LONG, refusal(engine, request("é".repeat(33), 1)));
        int[] long128 = IntStream.range(0, 128).map(i -> 1).toArray();
        assertEquals(ErrorCode.PROMPT_TOO_LONG, refusal(engine, tokenRequest(GREEDY, long128)));
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, tokenRequest(GREEDY, 5, 128)));
        SamplingOptions bad = new SamplingOptions(-1f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.empty());
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, tokenRequest(bad, 5)));
        SamplingOptions biased = new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(500, 1f), OptionalLong.empty());
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, tokenRequest(biased, 5)));
        engine.close();
        assertEquals(ErrorCode.SHUTTING_DOWN, refusal(engine, request("a", 1)));
    }

    @SuppressWarnings("NullAway") // as above
    private static GenerateRequest ofMessages(ChatMessage... messages) {
        return new GenerateRequest(
                null, List.of(messages), false, null, 1, GREEDY, List.of(), -1, -1, WeightsPolicy.PIN, new Object());
    }

    @Test
    void shouldMakePromptsOfConversations() {
        String template = "{% for m in messages %}{{ m.role[0] }}{{ m.content }}{% endfor %}{% if messages[0].role == 'x' %}"
                + "{{ raise_exception('no x') }}{% endif %}";
        ModelChat chat = new ModelChat(new ChatTemplates(Map.of(ChatTemplates.DEFAULT, template)), new SpecialTokens(Map.of(), List.of()),
                new FakeTokenizer(), Clock.systemUTC());
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), ChatPrompts.of(chat), epochs, new StepBreak(), () -> nowNs, () -> -1L,
                Runnable::run, TokenObserver.NONE, WorkerTeam.sequential());
        Recorder conversation = subscribe(engine, ofMessages(new ChatMessage("system", "be"), new ChatMessage("user", "ab")));
        Recorder text = subscribe(engine, request("sbeuab", 1));
        conversation.requestUnbounded();
        text.requestUnbounded();
        engine.loop().doWork();
        engine.loop().doWork();
        assertEquals(6, ((TokenEvent.Accepted) conversation.events.getFirst()).promptTokens());
        assertEquals(((TokenEvent.Token) text.events.getLast()).token(), ((TokenEvent.Token) conversation.events.getLast()).token());
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, ofMessages(new ChatMessage("x", ""))));
        assertEquals(ErrorCode.PROMPT_TOO_LONG, refusal(engine, ofMessages(new ChatMessage("user", "x".repeat(61)))));
        assertEquals(ErrorCode.INVALID_VALUE, refusal(manualEngine(), ofMessages(new ChatMessage("user", "a"))));
        engine.close();
    }

    @Test
    void shouldNeverGenerateNorTakePadding() {
        FakeTokenizer fewer = new FakeTokenizer() {
            @Override
            public int usedTokens() {
                return 100;
            }
        };
        TokenEngine engine = new TokenEngine(CONFIG, fewer, epochs, () -> nowNs, () -> -1L, Runnable::run);
        assertEquals(100, engine.vocabularySize());
        Recorder refused = subscribe(engine, tokenRequest(GREEDY, 5, 100));
        assertEquals("tokens[1] is outside the vocabulary: token=100, vocabulary=100; the model's rows behind it are padding:"
                + " rows=128", refused.errors.getFirst().getMessage());
        assertEquals(ErrorCode.INVALID_VALUE, refused.code());
        SamplingOptions biased = new SamplingOptions(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(100, 1f), OptionalLong.empty());
        assertEquals(ErrorCode.INVALID_VALUE, refusal(engine, tokenRequest(biased, 5)));
        for (SamplingOptions sampling : List.of(
                GREEDY,
                new SamplingOptions(100f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(0, -100f), OptionalLong.of(1)),
                new SamplingOptions(100f, 128, 1f, 0f, 1.1f, 0f, 0f, Map.of(0, -100f), OptionalLong.of(2)),
                new SamplingOptions(100f, 0, 0.9f, 0f, 1f, 0.1f, 0f, Map.of(0, -100f), OptionalLong.of(3)),
                new SamplingOptions(1f, 0, 1f, 1e-9f, 1f, 0f, 0f, Map.of(0, -100f), OptionalLong.of(4)))) {
            List<Recorder> streams = new ArrayList<>();
            for (int first = 1; first <= 4; first++) { // of several rows of logits, each has its padding
                streams.add(subscribe(engine, new GenerateRequest(
                        null, new int[] {first}, 100, sampling, List.of(), 3, WeightsPolicy.PIN)));
                streams.getLast().requestUnbounded();
            }
            work(engine);
            for (Recorder stream : streams) {
                List<Token> tokens = stream.events.stream().filter(Token.class::isInstance).map(Token.class::cast).toList();
                assertFalse(tokens.isEmpty());
                for (Token token : tokens) {
                    assertTrue(token.token() < 100, token::toString);
                    assertTrue(token.topLogprobs().stream().allMatch(top -> top.token() < 100), token::toString);
                }
            }
        }
    }

    /** The refusal comes at once, on the subscriber's thread, and nobody has looked for tokens in the text. */
    @Test
    void shouldRefuseWhatCanNeverFitBeforeItIsTokenized() {
        List<String> encoded = new ArrayList<>();
        Tokenizer tokenizer = new FakeTokenizer() {
            @Override
            public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
                encoded.add(text);
                return super.encode(text, addSpecial, parseSpecial);
            }
        };
        EngineConfig large = CONFIG.withLimits(new PromptLimits(2, 1 << 20, 1 << 20, 1 << 20), CONFIG.queue(), CONFIG.stalled());
        List<Runnable> intake = new ArrayList<>();
        TokenEngine engine = new TokenEngine(large, tokenizer, epochs, () -> nowNs, () -> -1L, intake::add);
        for (int i = 0; i < 50; i++) {
            Recorder recorder = subscribe(engine, request("x".repeat(1_000_000), 1));
            assertEquals(ErrorCode.PROMPT_TOO_LONG, recorder.code());
            assertEquals("prompt too long: bytes=1000000, tokens>=1000000, context=128", recorder.errors.getFirst().getMessage());
        }
        assertEquals("prompt too long: tokens=128, context=128", subscribe(engine, tokenRequest(GREEDY, new int[128])).errors.getFirst().getMessage());
        assertTrue(intake.isEmpty() && encoded.isEmpty());
        Recorder fits = subscribe(engine, request("x".repeat(127), 1));
        fits.requestUnbounded();
        assertEquals(1, engine.stats().promptsInIntake());
        assertTrue(engine.stats().promptBytesInIntake() >= 127);
        intake.removeFirst().run();
        work(engine);
        assertTrue(fits.completed);
        assertEquals(1, encoded.size());
        assertEquals(0, engine.stats().promptBytesInIntake());
        engine.close();
    }

    @Test
    void shouldRefuseWhatTheKvCacheCanNeverHoldBeforeItIsTokenized() {
        List<Runnable> intake = new ArrayList<>();
        EngineConfig small = CONFIG.withKvMemoryBytes(2 * model.kvCacheShape().blockBytes())
                .withLimits(new PromptLimits(2, 1 << 20, 1 << 20, 1 << 20), CONFIG.queue(), CONFIG.stalled());
        TokenEngine engine = new TokenEngine(small, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, intake::add);
        Recorder recorder = subscribe(engine, request("x".repeat(64), 1));
        assertEquals(ErrorCode.PROMPT_TOO_LONG, recorder.code());
        assertEquals("prompt too long for the KV cache: bytes=64, tokens>=64, positions=64", recorder.errors.getFirst().getMessage());
        assertTrue(intake.isEmpty());
        assertTrue(subscribe(engine, request("x".repeat(63), 1)).errors.isEmpty());
        engine.close();
    }

    /** As with a small {@code --kv-memory} and the default {@code max_tokens}. */
    @Test
    void shouldNameMaxTokensWhenOnlyThatIsTooMuchForTheKvCache() {
        EngineConfig small = CONFIG.withKvMemoryBytes(2 * model.kvCacheShape().blockBytes());
        TokenEngine engine = new TokenEngine(small, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, Runnable::run);
        Recorder recorder = subscribe(engine, request("abcde", 100));
        work(engine);
        assertEquals(ErrorCode.PROMPT_TOO_LONG, recorder.code());
        String message = String.valueOf(recorder.errors.getFirst().getMessage());
        assertTrue(message.contains("prompt_tokens=5, max_tokens=100, positions=105, needed_blocks=4"), message);
        assertTrue(message.contains("budget_blocks=2") && message.contains("budget_positions=64"), message);
        assertTrue(message.endsWith("max_tokens=59 would fit this prompt"), message);
        Recorder fits = subscribe(engine, request("abcde", 59));
        fits.requestUnbounded();
        work(engine);
        assertTrue(fits.completed);
        engine.close();
    }

    @Test
    void shouldBoundThePromptsOfAConnectionThatWaitForTheTokenizer() {
        List<Runnable> intake = new ArrayList<>();
        EngineConfig config = CONFIG.withLimits(new PromptLimits(100, 64, 100_000, 10_000), CONFIG.queue(), CONFIG.stalled());
        TokenEngine engine = new TokenEngine(config, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, intake::add);
        GenerateRequest ofOne = new GenerateRequest(
                null, false, new int[100], 1, GREEDY, List.of("x".repeat(100)), 0, WeightsPolicy.PIN, "one");
        Recorder last = subscribe(engine, ofOne);
        int taken = 0;
        while (last.errors.isEmpty()) {
            taken++;
            last = subscribe(engine, ofOne);
        }
        assertEquals(ErrorCode.BUSY, last.code());
        assertEquals(taken, intake.size());
        assertTrue(engine.stats().promptBytesInIntake() <= 10_000 && taken >= 4, "taken=" + taken);
        assertTrue(subscribe(engine, request("abc", 1)).errors.isEmpty(), "another connection");
        intake.forEach(Runnable::run);
        assertEquals(0, engine.stats().promptBytesInIntake());
        engine.close();
    }

    private static GenerateRequest tokenRequest(SamplingOptions sampling, int... tokens) {
        return new GenerateRequest(null, tokens, 1, sampling, List.of(), -1, WeightsPolicy.PIN);
    }

    private static ErrorCode refusal(TokenEngine engine, GenerateRequest request) {
        Recorder recorder = subscribe(engine, request);
        recorder.requestUnbounded();
        work(engine);
        assertTrue(recorder.events.isEmpty());
        return recorder.code();
    }

    @Test
    void shouldBeBusyWhenPromptsPileUp() {
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, task -> {
            throw new RejectedExecutionException("full");
        });
        assertEquals(ErrorCode.BUSY, subscribe(engine, request("a", 1)).code());
        TokenEngine notDrained = manualEngine();
        for (int i = 0; i < 4; i++) {
            assertTrue(subscribe(notDrained, request("a", 1)).errors.isEmpty());
        }
        assertEquals(ErrorCode.BUSY, subscribe(notDrained, request("a", 1)).code());
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
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), ChatPrompts.NONE, epochs, breaks, breaksInTheFirstStep, () -> -1L,
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
}

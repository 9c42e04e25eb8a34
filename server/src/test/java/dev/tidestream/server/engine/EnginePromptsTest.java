package dev.tidestream.server.engine;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.chat.ChatTemplates;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.chat.SpecialTokens;
import dev.tidestream.server.engine.TokenEvent.Token;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.TokenObserver;
import dev.tidestream.server.scheduler.status.SchedulerStats;
import dev.tidestream.server.tracing.RequestTrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Which prompts an engine takes, how it makes tokens of them, and what it refuses. */
class EnginePromptsTest extends EngineFixture {
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

    @SuppressWarnings("NullAway") // reads "int @Nullable []" from a class file as not null
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
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), ChatPrompts.of(chat), epochs, ServedAdapters.NONE,
                new StepBreak(), () -> nowNs, () -> -1L,
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
        assertEquals("prompt too long: tokens=128, context=128",
                subscribe(engine, tokenRequest(GREEDY, new int[128])).errors.getFirst().getMessage());
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

    /** No time is spent on its tokens; it counts as one whose time passed while it waited. */
    @Test
    void shouldRefuseAndCountWhatIsTooLateForTheTokenizer() {
        List<Runnable> intake = new ArrayList<>();
        TokenEngine engine = new TokenEngine(CONFIG, new FakeTokenizer(), epochs, () -> nowNs, () -> -1L, intake::add);
        Urgency tenMs = new Urgency(Priority.INTERACTIVE, 10);
        Recorder late = subscribe(engine, request("ab", 1).with(new RequestOptions(false, tenMs, null, RequestTrace.NONE)));
        nowNs += 10_000_000;
        assertEquals(0, engine.stats().streams().deadlines().missedWaiting());
        intake.removeFirst().run();
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, late.code());
        assertEquals(new SchedulerStats.Deadlines(0, 1, 0), engine.stats().streams().deadlines());
        engine.close();
    }

    /** A stream with a receipt may wait before it begins, until its process can issue one. */
    @Test
    void shouldCountADeadlineFromTheRequestOn() {
        TokenEngine engine = manualEngine();
        Urgency tenMs = new Urgency(Priority.INTERACTIVE, 10);
        Generation waits = engine.generate(request("ab", 1).with(new RequestOptions(false, tenMs, null, RequestTrace.NONE)));
        nowNs += 10_000_000;
        Recorder late = new Recorder();
        waits.events().subscribe(late);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, late.code());
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
}

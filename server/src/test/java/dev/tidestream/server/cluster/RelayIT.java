package dev.tidestream.server.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import io.vertx.core.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Streams over a gateway are those of one server to the bit, whatever becomes of the workers meanwhile. */
class RelayIT {
    private static final int TOKENS = 120;
    private static final SamplingOptions SAMPLED = new SamplingOptions(0.9f, 40, 0.95f, 0.01f, 1.1f, 0.1f, 0.2f, Map.of(7, -1.5f), OptionalLong.of(42));

    @SuppressWarnings("NullAway.Init") // once for all
    private static ModelRuntime single;

    @SuppressWarnings("NullAway.Init") // once for all
    private static List<ModelRuntime> workers;

    @SuppressWarnings("NullAway.Init") // in each test
    private RelayFixture relay;

    @BeforeAll
    static void startModels() {
        workers = RelayFixture.workers(2);
        single = ModelRuntime.start(ServerConfig.DEFAULT.withCompute(ServerConfig.Compute.DEFAULT.withThreads(1)), StartListener.NONE);
    }

    @AfterAll
    static void closeModels() {
        workers.forEach(ModelRuntime::close);
        single.close();
    }

    @AfterEach
    void close() {
        relay.close();
    }

    private void start(int count) {
        relay = new RelayFixture(workers.subList(0, count), Duration.ofMillis(800), Duration.ofSeconds(10));
    }

    private static GenerateRequest request(String prompt, int maxTokens, SamplingOptions sampling, int topLogprobs) {
        return new GenerateRequest(prompt, List.of(), false, null, maxTokens, sampling, List.of(), topLogprobs, -1, WeightsPolicy.PIN, new Object());
    }

    private static GenerateRequest sampled() {
        return request("Once upon a time there was", TOKENS, SAMPLED, 3);
    }

    /** What one server says. */
    private static List<TokenEvent> expected(GenerateRequest request) throws Exception {
        Reading reading = Reading.of(single.engine().generate(request), Long.MAX_VALUE);
        assertNull(reading.end());
        return comparable(reading.events());
    }

    /** Without what is the server's own: its number of the stream, times, who computed what of the prompt before. */
    private static List<TokenEvent> comparable(List<TokenEvent> events) {
        List<TokenEvent> all = new ArrayList<>();
        List<TokenEvent.Score> scores = new ArrayList<>(); // the pieces that they come in are nobody's concern
        for (TokenEvent event : events) {
            switch (event) {
                case TokenEvent.Accepted a -> all.add(new TokenEvent.Accepted(0, a.seed(), a.weightsVersion(), a.headMode(), a.promptTokens(),
                        a.promptSha256(), a.renderedAt(), a.adapter()));
                case TokenEvent.Progress p -> { }
                case TokenEvent.Scored s -> scores.addAll(s.scores());
                case TokenEvent.Token t -> all.add(
                        new TokenEvent.Token(t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs(), null));
                case TokenEvent.Stopped s -> { }
            }
        }
        if (!scores.isEmpty()) {
            all.add(1, new TokenEvent.Scored(scores));
        }
        return all;
    }

    private void assertSame(GenerateRequest request) throws Exception {
        Reading reading = Reading.of(relay.engine.generate(request), Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
    }

    @Test
    void shouldRelayEveryKindOfStream() throws Exception {
        start(2);
        assertSame(sampled());
        assertSame(request("The", 20, new SamplingOptions(0, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.of(1)), 0));
        assertSame(sampled().withPromptLogprobs(2));
        assertSame(new GenerateRequest("A cat and a dog", List.of(), true, null, 60, SAMPLED, List.of("the", "\n"), 0, -1,
                WeightsPolicy.PIN, new Object()));
        assertSame(new GenerateRequest(null, List.of(), false, new int[] {1, 5, 9, 11}, 10, SAMPLED, List.of(), 0, -1, WeightsPolicy.PIN, new Object()));
        assertSame(new GenerateRequest("nothing but scores, please", List.of(), false, null, 0, SAMPLED, List.of(), 0, 1, WeightsPolicy.PIN,
                new Object()));
    }

    @Test
    void shouldRefuseInTheWordsOfAWorker() throws Exception {
        start(1);
        GenerateRequest chat = new GenerateRequest(null, List.of(new ChatMessage("user", "hello")), false, null, 5, SAMPLED, List.of(), 0, -1,
                WeightsPolicy.PIN, new Object());
        Throwable there = Reading.of(relay.engine.generate(chat), 1).end();
        Throwable here = Reading.of(single.engine().generate(chat), 1).end();
        if (here == null) {
            assertNull(there);
        } else {
            assertEquals(String.valueOf(here.getMessage()), String.valueOf(assertInstanceOf(EngineException.class, there).getMessage()));
        }
        GenerateRequest unknown = new GenerateRequest(null, List.of(), false, new int[] {1 << 30}, 5, SAMPLED, List.of(), 0, -1,
                WeightsPolicy.PIN, new Object());
        EngineException refused = assertInstanceOf(EngineException.class, Reading.of(relay.engine.generate(unknown), 1).end());
        assertEquals(ErrorCode.INVALID_VALUE, refused.code());
    }

    @Test
    void shouldGoOnWhenTheWorkerIsKilled() throws Exception {
        start(2);
        GenerateRequest request = sampled();
        Reading reading = Reading.of(relay.engine.generate(request), 31); // and no more before the worker is gone
        reading.awaitTokens(30);
        relay.busy().proxy.cut();
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
        assertEquals(1, relay.engine.counters().failovers());
        assertEquals(TOKENS, reading.finish().usage().completionTokens());
        assertEquals(0, relay.engine.counters().running());
    }

    @Test
    void shouldGoOnWhenTheWorkerHangs() throws Exception {
        start(2);
        GenerateRequest request = sampled();
        Reading reading = Reading.of(relay.engine.generate(request), 31);
        reading.awaitTokens(30);
        relay.busy().proxy.hang();
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
    }

    @Test
    void shouldMoveWhenTheWorkerDrains() throws Exception {
        start(2);
        GenerateRequest request = sampled();
        Reading reading = Reading.of(relay.engine.generate(request), 31);
        reading.awaitTokens(30);
        Future<Void> drained = relay.busy().drain();
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
        drained.await(); // long before the grace of running streams is over
        assertEquals(1, relay.engine.counters().moved());
        assertEquals(0, relay.engine.counters().failovers());
    }

    @Test
    void shouldHoldAStreamWithoutCreditOnTheWorker() throws Exception {
        start(1);
        ModelRuntime worker = relay.nodes.getFirst().running;
        long before = worker.stats().tokensGenerated();
        Reading reading = Reading.of(relay.engine.generate(sampled()), 6);
        reading.awaitTokens(5);
        RelayFixture.await(() -> worker.stats().streams().parked() == 1 || worker.stats().running() == 1);
        assertEquals(before + 5, worker.stats().tokensGenerated()); // not one more than was asked for
        reading.request(10);
        reading.awaitTokens(15);
        reading.cancel();
        RelayFixture.await(() -> worker.stats().running() + worker.stats().streams().parked() == 0);
        assertEquals(before + 15, worker.stats().tokensGenerated());
        assertEquals(0, relay.engine.counters().running());
    }

    @Test
    void shouldStopAStreamThatIsStopped() throws Exception {
        start(2);
        Reading reading = Reading.of(relay.engine.generate(sampled()), 11);
        reading.awaitTokens(10);
        relay.busy().proxy.cut();
        reading.generation.stop();
        reading.request(5);
        assertNull(reading.end());
        assertEquals(FinishReason.CANCELLED, reading.finish().reason());
        assertTrue(reading.tokens().size() <= 12, "tokens: " + reading.tokens().size());
    }

    @Test
    void shouldScoreAPromptOnceIfItsWorkerIsLost() throws Exception {
        start(2);
        GenerateRequest request = sampled().withPromptLogprobs(1);
        Reading reading = Reading.of(relay.engine.generate(request), 2); // accepted, scores
        RelayFixture.await(() -> reading.events().size() == 2);
        relay.busy().proxy.cut();
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
    }

    @Test
    void shouldSayThatNobodyIsThere() throws Exception {
        relay = new RelayFixture(workers.subList(0, 1), Duration.ofSeconds(5), Duration.ofMillis(100));
        Reading reading = Reading.of(relay.engine.generate(sampled()), 11);
        reading.awaitTokens(10);
        relay.nodes.getFirst().proxy.cut();
        EngineException lost = assertInstanceOf(EngineException.class, reading.end());
        assertEquals(ErrorCode.BUSY, lost.code());
        assertEquals(1, relay.engine.counters().givenUp());
        EngineException refused = assertInstanceOf(EngineException.class, Reading.of(relay.engine.generate(sampled()), 1).end());
        assertEquals("no worker takes streams now", refused.getMessage());
    }

    @Test
    void shouldGoOnThroughManyLosses() throws Exception {
        start(2);
        GenerateRequest request = sampled();
        Reading reading = Reading.of(relay.engine.generate(request), 11);
        for (int tokens = 10; tokens < TOKENS - 10; tokens += 20) {
            reading.awaitTokens(tokens);
            relay.busy().proxy.kick();
            reading.request(20);
        }
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(expected(request), comparable(reading.events()));
        assertTrue(relay.engine.counters().failovers() >= 5, "failovers: " + relay.engine.counters().failovers());
    }
}

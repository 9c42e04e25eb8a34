package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.AnswerLimits;
import dev.tidestream.server.transport.http.HttpLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What answers may hold, and for how long. */
@ExtendWith(NettyLeakCheck.class)
class AnswerBoundsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FOREVER = 100_000_000;
    private static final Duration STALL = Duration.ofMinutes(5);
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);
    private static final int MAX_ANSWER = 8 << 20;
    private static final int LARGE = 3000; // tokens of 1,000 characters: more than sockets hold

    private final ManualClock clock = new ManualClock();
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer(config(2), clock);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static TransportConfig config(int sessions) {
        HttpLimits of = HttpLimits.of(16);
        return TestServer.CONFIG.withMaxConnections(sessions).withLimits(
                new HttpLimits(of.maxPending(), of.maxPendingPerAddress(), of.maxIdle(), of.requestTimeout(), of.idleTimeout(), 1 << 20,
                        new AnswerLimits(STALL, KEEP_ALIVE, MAX_ANSWER, MAX_ANSWER, 1)),
                TestServer.CONFIG.sockets());
    }

    private static String post(String path, String body) {
        return "POST " + path + " HTTP/1.1\nHost: localhost\nContent-Length: " + body.length() + "\n\n" + body;
    }

    private static String completion(String prompt, int n, int maxTokens, boolean stream) {
        return post("/v1/completions", "{\"prompt\":\"%s\",\"n\":%d,\"max_tokens\":%s,\"stream\":%s}"
                .formatted(prompt, n, maxTokens, stream));
    }

    private RawHttp.Answer answer(String request) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            return http.send(request).answer();
        }
    }

    private static String code(RawHttp.Answer answer) throws Exception {
        return JSON.readTree(answer.body()).path("error").path("code").asText();
    }

    /** Waits until nobody has a place, while time passes. */
    private void awaitNoSession() throws Exception {
        long deadlineNs = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (server.stats().streamConnections() > 0) {
            assertTrue(System.nanoTime() < deadlineNs, () -> server.stats().toString());
            clock.advance(Duration.ofSeconds(30));
        }
    }

    @Test
    void shouldGiveUpAClientThatReadsNothingOfAStream() throws Exception {
        try (RawHttp idle = new RawHttp(server.port())) {
            idle.send(completion("long", 1, FOREVER, true));
            server.engine.await(() -> server.engine.emitted.get() > 100 && server.engine.allStalled());
            clock.advance(STALL.minusSeconds(1));
            assertEquals(1, server.engine.running());
            awaitNoSession();
            server.engine.await(() -> server.engine.running() == 0);
        }
        assertEquals(1, server.engine.cancelled.get());
        assertEquals(1, server.stats().refused(Refusal.UNREAD_ANSWERS));
    }

    /** Nothing is generated any more; what was is in the way. */
    @ParameterizedTest
    @CsvSource({"/v1/completions,true", "/v1/completions,false", "/v1/responses,true", "/v1/responses,false"})
    void shouldGiveUpAClientThatReadsNothingOfAnAnswerThatHasEnded(String path, boolean stream) throws Exception {
        String body = path.equals("/v1/responses") ? "{\"input\":\"long\",\"max_output_tokens\":1900,\"stream\":%s}"
                : "{\"prompt\":\"long\",\"max_tokens\":3000,\"stream\":%s}";
        try (RawHttp idle = new RawHttp(server.port())) {
            idle.send(post(path, body.formatted(stream)));
            server.engine.await(() -> server.engine.emitted.get() > 100 && (server.engine.running() == 0 || server.engine.allStalled()));
            awaitNoSession();
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    /** The end of a response tells its text four times: as the socket takes it. */
    @Test
    void shouldSendTheEndOfAResponseAsItIsRead() throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            String body = "{\"input\":\"long\",\"max_output_tokens\":300,\"stream\":true}";
            RawHttp.Answer answer = http.send(post("/v1/responses", body)).answerChunked();
            List<JsonNode> events = new ArrayList<>();
            for (String event : answer.body().split("\n\n", -1)) {
                if (event.startsWith("event: ")) {
                    events.add(JSON.readTree(event.substring(event.indexOf("data: ") + "data: ".length())));
                }
            }
            for (int i = 0; i < events.size(); i++) {
                assertEquals(i, events.get(i).get("sequence_number").intValue());
            }
            assertEquals(308, events.size());
            assertEquals("response.incomplete", events.getLast().get("type").textValue());
            assertEquals(300_000, events.get(304).get("text").textValue().length());
            assertTrue(answer.body().endsWith("data: [DONE]\n\n"));
        }
        awaitNoSession();
    }

    @Test
    void shouldBoundAllChoicesOfAWholeAnswerTogether() throws Exception {
        RawHttp.Answer one = answer(completion("long", 1, LARGE, false));
        assertEquals(200, one.status(), one.body());
        RawHttp.Answer two = answer(completion("long", 2, LARGE, false));
        assertEquals(400, two.status());
        assertEquals("answer_too_large", code(two));
        String echoed = "{\"prompt\":\"" + "x".repeat(400_000) + "\",\"n\":%d,\"max_tokens\":1,\"echo\":true}";
        assertEquals(200, answer(post("/v1/completions", echoed.formatted(2))).status());
        RawHttp.Answer many = answer(post("/v1/completions", echoed.formatted(16)));
        assertEquals("answer_too_large", code(many), many.body());
        server.engine.await(() -> server.engine.running() == 0);
    }

    /** There is room for one such answer among those that are not read. */
    @Test
    void shouldBoundWhatAnswersHoldTogether() throws Exception {
        try (RawHttp first = new RawHttp(server.port())) {
            assertEquals(200, first.send(completion("long", 1, LARGE, false)).answer(false).status(), "and no more is read of it");
            RawHttp.Answer second = answer(completion("long", 1, LARGE, false));
            assertEquals(503, second.status(), second.body());
            assertEquals("overloaded", code(second));
            assertTrue(second.head().contains("\r\nretry-after: 1\r\n"), second.head());
        }
        awaitNoSession();
        assertEquals(200, answer(completion("long", 1, LARGE, false)).status());
    }

    @Test
    void shouldRefuseTextsThatAreMuchLongerThanTheirTokens() throws Exception {
        String tokens = "{\"tokens\":[" + "5,".repeat(400_000) + "5]}";
        assertEquals(200, answer(post("/detokenize", tokens)).status());
        try (TestServer small = new TestServer(TestServer.CONFIG.withLimits(
                new HttpLimits(99, 99, 99, Duration.ofSeconds(60), Duration.ofSeconds(60), 1 << 20,
                        new AnswerLimits(STALL, KEEP_ALIVE, 100, 1000, 1)), TestServer.CONFIG.sockets()));
                RawHttp http = new RawHttp(small.port())) {
            RawHttp.Answer refused = http.send(post("/detokenize", "{\"tokens\":[" + "5,".repeat(50) + "5]}")).answer();
            assertEquals(400, refused.status());
            assertEquals("answer_too_large", code(refused));
            assertEquals("tokens", JSON.readTree(refused.body()).path("error").path("param").asText());
            assertEquals(200, http.send(post("/detokenize", "{\"tokens\":[104,105]}")).answer().status());
        }
    }

    @Test
    void shouldBoundWhatIsToldOfResponses() throws Exception {
        try (TestServer small = new TestServer(TestServer.CONFIG.withLimits(
                new HttpLimits(99, 99, 99, Duration.ofSeconds(60), Duration.ofSeconds(60), 1 << 20,
                        new AnswerLimits(STALL, KEEP_ALIVE, 300, 300, 1)), TestServer.CONFIG.sockets()));
                RawHttp http = new RawHttp(small.port())) {
            String text = "x".repeat(200);
            RawHttp.Answer whole = http.send(post("/v1/responses", "{\"input\":\"%s\",\"instructions\":\"%s\",\"max_output_tokens\":1}"
                    .formatted(text, text))).answer();
            assertEquals(200, whole.status(), whole.body());
            String path = "/v1/responses/" + JSON.readTree(whole.body()).get("id").textValue();
            for (String request : List.of("GET " + path, "GET " + path + "/input_items", "POST " + path + "/cancel")) {
                RawHttp.Answer refused = http.send(request + " HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n").answer();
                assertEquals(503, refused.status(), request);
                assertEquals("overloaded", code(refused), request);
            }
            assertEquals(200, http.send("DELETE " + path + " HTTP/1.1\nHost: localhost\n\n").answer().status());
        }
    }

    /** In the queue, or in prefill; who gets the answer whole gets no such sign. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1/completions", "/v1/chat/completions", "/v1/responses"})
    void shouldTellThatAStreamIsNotForgotten(String path) throws Exception {
        String what = path.equals("/v1/completions") ? "\"prompt\":\"hold\""
                : path.equals("/v1/responses") ? "\"input\":\"hold\"" : "\"messages\":[{\"role\":\"user\",\"content\":\"hold\"}]";
        try (RawHttp streamed = new RawHttp(server.port()); RawHttp whole = new RawHttp(server.port())) {
            streamed.send(post(path, "{%s,\"stream\":true}".formatted(what)));
            whole.send(post(path, "{%s}".formatted(what)));
            server.engine.await(() -> server.engine.running() == 2);
            boolean begun = !path.equals("/v1/completions"); // with an event that says so
            if (begun) {
                assertEquals(200, streamed.answer(false).status());
                StringBuilder got = new StringBuilder();
                while (!got.toString().contains(path.equals("/v1/responses") ? "response.content_part.added" : "\"role\":\"assistant\"")) {
                    got.append(streamed.chunk());
                }
            }
            clock.advance(KEEP_ALIVE.minusNanos(1));
            assertFalse(streamed.hasMore());
            clock.advance(Duration.ofNanos(1));
            clock.advance(KEEP_ALIVE);
            if (!begun) {
                assertEquals(200, streamed.answer(false).status());
            }
            assertEquals(": keep-alive\n\n", streamed.chunk());
            assertEquals(": keep-alive\n\n", streamed.chunk());
            assertFalse(whole.hasMore());
        }
        server.engine.await(() -> server.engine.running() == 0);
    }

    @Test
    void shouldSayWhenToAskAgainIfThereIsNoPlace() throws Exception {
        try (RawHttp first = new RawHttp(server.port()); RawHttp second = new RawHttp(server.port())) {
            first.send(completion("hold", 1, 9, true));
            second.send(completion("hold", 1, 9, true));
            server.engine.await(() -> server.engine.running() == 2);
            RawHttp.Answer full = answer(completion("count", 1, 1, false));
            assertEquals(503, full.status());
            assertEquals("overloaded", code(full));
            assertTrue(full.head().contains("\r\nretry-after: 1\r\n") && full.head().contains("\r\nretry-after-ms: 1000\r\n"), full.head());
        }
        awaitNoSession();
        assertEquals(200, answer(completion("count", 1, 1, false)).status());
    }

    /** A place is taken when a body has come, and given back whatever becomes of the request. */
    @Test
    void shouldGivePlacesBackOfRequestsThatCannotBeCarriedOut() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertEquals(400, answer(post("/v1/chat/completions", "{\"messages\":7}")).status());
            assertEquals(400, answer(post("/v1/completions", "{}")).status());
            assertEquals(400, answer(post("/tokenize", "{}")).status());
            assertEquals(400, answer(post("/v1/chat/completions", "{\"messages\":[{\"role\":\"fail\",\"content\":\"a\"}]}")).status());
        }
        assertEquals(200, answer(completion("count", 1, 1, false)).status());
        assertEquals(200, answer(post("/tokenize", "{\"prompt\":\"hi\"}")).status());
        assertEquals(0, server.stats().assemblyBytes());
    }
}

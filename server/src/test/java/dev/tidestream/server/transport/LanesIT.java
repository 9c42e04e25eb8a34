package dev.tidestream.server.transport;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.server.openai.lanes.LaneLimits;
import dev.tidestream.server.transport.common.VertxClock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Responses over WebSockets: lanes, forks, errors, credit; with an engine that follows a script. */
@ExtendWith(NettyLeakCheck.class)
class LanesIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> TYPES = List.of("response.created", "response.in_progress", "response.output_item.added",
            "response.content_part.added", "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
            "response.content_part.done", "response.output_item.done", "response.incomplete");
    private TestServer server;
    private LaneClient client;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer();
        client = new LaneClient(server.port());
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        server.close();
    }

    private static List<JsonNode> of(List<JsonNode> messages, String lane) {
        return messages.stream().filter(message -> LaneClient.lane(message).equals(lane)).toList();
    }

    private static List<String> types(List<JsonNode> messages) {
        return messages.stream().map(LaneClient::type).toList();
    }

    private static void assertError(JsonNode message, int status, String lane, String code) {
        assertEquals("error", LaneClient.type(message), message.toString());
        assertEquals(status, message.get("status").intValue(), message.toString());
        assertEquals(lane, LaneClient.lane(message), message.toString());
        assertEquals(code, message.get("code").asText());
        for (String field : List.of("code", "message", "param")) {
            assertEquals(message.get(field), message.get("error").get(field), "flat and nested");
        }
        assertTrue(message.get("error").get("type").isTextual());
    }

    /** Asks for a response and waits for its end. */
    private String respond(String lane, String input, String more) throws InterruptedException {
        client.create(lane, input, 1, more);
        return LaneClient.id(client.untilEnd(lane).getLast());
    }

    private static String after(String id) {
        return ",\"previous_response_id\":\"" + id + "\"";
    }

    @Test
    void shouldSendTheEventsOfServerSentEvents() throws Exception {
        assertEquals("", client.subprotocol());
        client.create(null, "count", 2, "");
        List<JsonNode> events = client.untilEnd(null);
        assertEquals(TYPES, types(events));
        assertEquals(IntStream.range(0, TYPES.size()).boxed().toList(),
                events.stream().map(event -> event.get("sequence_number").intValue()).toList());
        assertTrue(events.stream().noneMatch(event -> event.has("stream_id")), "no lane was named");
        assertEquals(" w0 w1", events.get(6).get("text").textValue());
        assertEquals("{\"weights_version\":1,\"seq\":1,\"token\":101}", events.get(5).get("tidestream").toString());
        assertEquals(2, events.getLast().get("response").get("usage").get("output_tokens").intValue());
    }

    @Test
    void shouldLetLanesGoOnSideBySide() throws Exception {
        client.create("slow", "hold", 1, "");
        List<JsonNode> begun = client.until(message -> LaneClient.type(message).equals("response.content_part.added"));
        assertEquals(TYPES.subList(0, 4), types(begun));
        client.create("slow", "b", 1, "").create("fast", "a", 2, "");
        assertEquals(TYPES, types(client.untilEnd("fast")), "nothing of the second of the other lane, which waits for the first");
        client.send("{\"type\":\"response.cancel\",\"stream_id\":\"slow\"}");
        List<JsonNode> cancelled = client.untilEnd("slow");
        assertEquals("response.incomplete", LaneClient.type(cancelled.getLast()));
        assertEquals("cancelled", cancelled.getLast().get("response").get("status").textValue());
        assertEquals("response.incomplete", LaneClient.type(client.untilEnd("slow").getLast()));
        assertEquals(List.of("hold", "a", "b"), server.engine.prompts());
    }

    @Test
    void shouldGoOnAndFork() throws Exception {
        String first = respond("main", "a", ",\"instructions\":\"be brief \"");
        String second = respond("main", "b", after(first));
        String fork = respond("side", "c", after(second));
        respond("main", "d", after(second));
        respond("side", "e", after(fork));
        assertEquals(List.of("system:be brief a", "aassistant: w0b", "aassistant: w0bassistant: w0c", "aassistant: w0bassistant: w0d",
                "aassistant: w0bassistant: w0cassistant: w0e"), server.engine.prompts());
        client.create("main", "f", 1, after(first));
        assertError(client.next(), 400, "main", "previous_response_not_found");
        assertEquals(404, server.http("GET", "/v1/responses/" + second).statusCode(), "nothing was stored");
    }

    @Test
    void shouldForkWhatIsStillMadeWhenItHasEnded() throws Exception {
        client.create("main", "hold", 1, "");
        String parent = LaneClient.id(client.until(message -> LaneClient.type(message).equals("response.created")).getLast());
        client.create("side", "b", 1, after(parent)).create("other", "c", 1, "");
        client.untilEnd("other");
        assertEquals(List.of("hold", "c"), server.engine.prompts(), "a fork waits, and nobody else");
        client.send("{\"type\":\"response.cancel\",\"response_id\":\"" + parent + "\"}");
        client.untilEnd("side");
        assertEquals("holdassistant:b", server.engine.prompts().getLast());
    }

    /** What they go on from is kept nowhere once the next turn of its lane has ended. */
    @Test
    void shouldLetForksGoBeforeTheLaneThatTheyForkFrom() throws Exception {
        LaneLimits oneAtOnce = new LaneLimits(3, 1, 9, 1 << 20, 1 << 20, Duration.ofMinutes(60));
        try (TestServer one = new TestServer(TestServer.CONFIG, context -> new VertxClock(context.owner()), oneAtOnce);
                LaneClient forking = new LaneClient(one.port())) {
            forking.create("main", "hold", 1, "");
            String parent = LaneClient.id(forking.until(message -> LaneClient.type(message).equals("response.created")).getLast());
            forking.create("main", "a", 1, after(parent)).create("side", "b", 1, after(parent)).create("other", "c", 1, after(parent));
            forking.send("{\"type\":\"response.cancel\",\"response_id\":\"" + parent + "\"}").untilEnd("main");
            assertEquals("response.incomplete", LaneClient.type(forking.untilEnd("side").getLast()));
            assertEquals("response.incomplete", LaneClient.type(forking.untilEnd("other").getLast()));
            assertEquals("response.incomplete", LaneClient.type(forking.untilEnd("main").getLast()));
            assertEquals(List.of("hold", "holdassistant:b", "holdassistant:c", "holdassistant:a"), one.engine.prompts());
        }
    }

    @Test
    void shouldForgetWhatAFailureWentOnFrom() throws Exception {
        String first = respond("main", "a", "");
        client.create("side", "b", 1, after(first) + ",\"top_p\":7");
        assertError(client.next(), 400, "side", "invalid_value");
        client.create("main", "c", 1, after(first) + ",\"top_p\":7");
        assertError(client.next(), 400, "main", "invalid_value");
        client.create("main", "d", 1, after(first));
        JsonNode gone = client.next();
        assertError(gone, 400, "main", "previous_response_not_found");
        assertEquals("previous_response_id", gone.get("param").textValue());
        assertEquals("Previous response with id '%s' not found.".formatted(first), gone.get("message").textValue());
        assertEquals(List.of("a"), server.engine.prompts());
    }

    @Test
    void shouldGoOnFromWhatIsStored() throws Exception {
        client.send("{\"type\":\"response.create\",\"input\":\"a\",\"max_output_tokens\":1}");
        JsonNode ended = client.untilEnd(null).getLast().get("response");
        String id = ended.get("id").textValue();
        HttpResponse<String> kept = server.http("GET", "/v1/responses/" + id);
        assertEquals(ended, JSON.readTree(kept.body()));
        try (LaneClient other = new LaneClient(server.port())) {
            other.create("x", "b", 1, after(id));
            assertEquals("response.incomplete", LaneClient.type(other.untilEnd("x").getLast()));
        }
        assertEquals("aassistant: w0b", server.engine.prompts().getLast());
    }

    @Test
    void shouldWarmUp() throws Exception {
        client.send("{\"type\":\"response.create\",\"stream_id\":\"w\",\"generate\":false,\"instructions\":\"i\",\"store\":false}");
        List<JsonNode> events = client.untilEnd("w");
        assertEquals(List.of("response.created", "response.in_progress", "response.completed"), types(events));
        assertEquals("[]", events.getLast().get("response").get("output").toString());
        client.send("{\"type\":\"response.create\",\"stream_id\":\"w\",\"generate\":false,\"input\":\"a\",\"tidestream\":{\"credit\":0}%s}"
                .formatted(after(LaneClient.id(events.getLast()))));
        JsonNode warm = client.untilEnd("w").getLast();
        assertEquals("completed", warm.get("response").get("status").textValue());
        assertEquals(3, warm.get("response").get("usage").get("input_tokens").intValue());
        respond("w", "b", after(LaneClient.id(warm)));
        assertEquals(List.of("a", "ab"), server.engine.prompts(), "there is no answer between");
        client.send("{\"type\":\"response.create\",\"generate\":false,\"model\":\"other\"}");
        assertError(client.next(), 404, "null", "model_not_found");
    }

    @Test
    void shouldSendNoMoreThanItHasCreditFor() throws Exception {
        client.create("paid", "count", 5, ",\"tidestream\":{\"credit\":2}").create("free", "a", 3, "");
        List<JsonNode> messages = new ArrayList<>(client.until(new Predicate<>() {
            private int deltas;
            private boolean ended;

            @Override
            public boolean test(JsonNode message) {
                deltas += LaneClient.lane(message).equals("paid") && LaneClient.type(message).endsWith(".delta") ? 1 : 0;
                ended |= LaneClient.lane(message).equals("free") && LaneClient.isEnd(message);
                return ended && deltas == 2;
            }
        }));
        assertEquals(2, of(messages, "paid").stream().filter(message -> LaneClient.type(message).endsWith(".delta")).count());
        server.engine.await(server.engine::allStalled);
        client.send("{\"type\":\"tidestream.credit\",\"stream_id\":\"paid\",\"n\":1}").create("free", "b", 1, "");
        List<JsonNode> more = client.untilEnd("free");
        assertEquals(1, of(more, "paid").size(), more.toString());
        client.send("{\"type\":\"tidestream.credit\",\"stream_id\":\"paid\",\"n\":100}");
        assertEquals(" w0 w1 w2 w3 w4", client.untilEnd("paid").getLast().get("response").get("output").get(0).get("content").get(0)
                .get("text").textValue());
        client.send("{\"type\":\"tidestream.credit\",\"stream_id\":\"paid\",\"n\":1}").create("free", "c", 1, "");
        assertFalse(types(client.untilEnd("free")).contains("error"), "credit that comes too late is none");
    }

    @Test
    void shouldAskForNoMoreWhileTheSocketIsFull() throws Exception {
        try (LaneClient slow = new LaneClient(server.port(), false)) {
            slow.create("a", "long", 12_000, "").create("b", "long", 12_000, "");
            // messages of 1 kB: what the sockets hold, and a window
            server.engine.await(() -> server.engine.emitted.get() > 100 && server.engine.allStalled());
            client.create("x", "count", 1000, "");
            assertTrue(client.untilEnd("x").size() > 1000);
            assertTrue(server.engine.emitted.get() < 20_000, "emitted=" + server.engine.emitted);
            assertEquals(2, server.engine.running());
            slow.read();
            slow.send("{\"type\":\"response.cancel\",\"stream_id\":\"b\"}");
            assertTrue(slow.untilEnd("b").size() > 100, "it goes on when it is read");
        }
        server.engine.await(() -> server.engine.running() == 0);
    }

    @Test
    void shouldEndOneResponseThatFailsAndNothingElse() throws Exception {
        client.create("good", "hold", 1, "").create("bad", "crash", 9, ",\"store\":true");
        JsonNode failed = client.untilEnd("bad").getLast();
        assertEquals("response.failed", LaneClient.type(failed));
        assertEquals("server_error", failed.get("response").get("error").get("code").textValue());
        HttpResponse<String> kept = server.http("GET", "/v1/responses/" + LaneClient.id(failed));
        assertEquals(failed.get("response"), JSON.readTree(kept.body()), "it was stored, and its id was told");
        for (String input : List.of("refuse", "vanish")) {
            client.create("bad", input, 1, "");
            assertEquals(input.equals("vanish") ? "response.failed" : "error", LaneClient.type(client.untilEnd("bad").getLast()), input);
        }
        client.send("{\"type\":\"response.cancel\",\"stream_id\":\"good\"}");
        assertEquals("cancelled", client.untilEnd("good").getLast().get("response").get("status").textValue());
        server.engine.await(() -> server.engine.running() == 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // message | status | lane | code
        "no json|400|null|malformed_json",
        "[]|400|null|malformed_json",
        "{\"stream_id\":\"a\"}|400|a|missing_field",
        "{\"stream_id\":\"a\",\"type\":7}|400|a|invalid_type",
        "{\"stream_id\":\"a\",\"type\":\"session.update\"}|400|a|unknown_type",
        "{\"stream_id\":\"a b\",\"type\":\"response.create\"}|400|null|invalid_stream_id",
        "{\"stream_id\":\"\",\"type\":\"response.create\"}|400|null|invalid_stream_id",
        "{\"stream_id\":7,\"type\":\"response.create\"}|400|null|invalid_stream_id",
        "{\"stream_id\":\"a\",\"type\":\"response.create\"}|400|a|missing_field",
        "{\"type\":\"response.create\",\"input\":\"a\",\"background\":true}|400|null|unsupported_parameter",
        "{\"type\":\"response.create\",\"input\":\"a\",\"tidestream\":{\"credit\":-1}}|400|null|invalid_value",
        "{\"type\":\"response.create\",\"input\":\"a\",\"model\":\"x\"}|404|null|model_not_found",
        "{\"type\":\"response.create\",\"input\":\"a\",\"previous_response_id\":\"x\"}|400|null|previous_response_not_found",
        "{\"type\":\"response.steer\",\"previous_response_id\":\"x\",\"input\":[]}|400|null|unsupported_event",
        "{\"type\":\"response.cancel\",\"response_id\":\"x\"}|404|null|response_not_found",
        "{\"type\":\"response.cancel\",\"stream_id\":\"x\"}|404|x|response_not_found",
        "{\"type\":\"tidestream.credit\",\"stream_id\":\"x\",\"n\":1}|404|x|response_not_found",
        "{\"type\":\"tidestream.credit\",\"n\":0}|400|null|invalid_value",
        "{\"type\":\"tidestream.credit\"}|400|null|missing_field",
    })
    void shouldRefuseAndGoOn(String message, int status, String lane, String code) throws Exception {
        client.send(message);
        assertError(client.next(), status, lane, code);
        client.create("next", "a", 1, "");
        assertEquals(9, client.untilEnd("next").size());
    }

    @Test
    void shouldRefuseMessagesThatAreTooLargeOrBinary() throws Exception {
        client.create("big", "x".repeat(1 << 20), 1, "");
        assertError(client.next(), 413, "big", "request_too_large");
        client.sendBinary(new byte[3]);
        assertError(client.next(), 400, "null", "binary_frame");
        client.create("medium", "x".repeat(20_000), 1, "");
        assertError(client.next(), 400, "medium", "context_length_exceeded");
    }

    @Test
    void shouldEndWhatRunsWhenTheClientHasGone() throws Exception {
        client.create("a", "hold", 1, ",\"store\":true").create("b", "hold", 1, "").create("b", "c", 1, "");
        String id = LaneClient.id(client.until(message ->
                LaneClient.type(message).equals("response.created") && LaneClient.lane(message).equals("a")).getLast());
        server.engine.await(() -> server.engine.running() == 2);
        client.abort();
        server.engine.await(() -> server.engine.running() == 0);
        assertEquals(List.of("hold", "hold"), server.engine.prompts(), "what waited is not begun");
        assertEquals("cancelled", JSON.readTree(server.http("GET", "/v1/responses/" + id).body()).get("status").textValue());
    }

    @Test
    void shouldTellWhoAsksWithoutAWebSocket() throws Exception {
        HttpResponse<String> plain = server.http("GET", "/v1/responses");
        assertEquals(426, plain.statusCode());
        assertEquals("upgrade_required", JSON.readTree(plain.body()).get("error").get("code").textValue());
        assertEquals(400, server.http("POST", "/v1/responses").statusCode(), "which is for requests over HTTP");
    }
}

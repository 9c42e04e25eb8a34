package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Messages on lanes that nobody would send, {@code -Dtidestream.lane.messages} of them: each refusal has a code, each connection
 * goes on, and
 * a stream of the own wire beside them is not disturbed.
 */
@ExtendWith(NettyLeakCheck.class)
class LaneFuzzIT {
    private static final int MESSAGES = Integer.getInteger("tidestream.lane.messages", 3_000);
    private static final int THREADS = 4;
    private static final int MESSAGES_OF_ONE = 40;
    private static final int CREDIT = 16;
    private static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, 4096, 16384, 1_000_000, 64, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));
    private static final Set<Integer> STATUSES = Set.of(400, 404, 413, 503);
    private static final List<String> MESSAGES_TO_MUTATE = List.of(
            "{\"type\":\"response.create\",\"stream_id\":\"a\",\"model\":\"m/1\",\"input\":\"count\",\"max_output_tokens\":3,"
            + "\"store\":false}",
            "{\"type\":\"response.create\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
            + "\"text\":\"a\"}]}],\"max_output_tokens\":2,"
                    + "\"include\":[\"message.output_text.logprobs\"],\"tidestream\":{\"credit\":16,\"weights\":\"follow\"}}",
            "{\"type\":\"response.create\",\"stream_id\":\"b\",\"generate\":false,\"instructions\":\"i\","
                    + "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}",
            "{\"type\":\"response.create\",\"stream_id\":\"b\",\"previous_response_id\":\"PREVIOUS\",\"input\":\"b\","
                    + "\"max_output_tokens\":1}",
            "{\"type\":\"response.create\",\"stream_id\":\"c.-_\",\"previous_response_id\":\"PREVIOUS\",\"input\":\"c\","
                    + "\"max_output_tokens\":1,\"store\":false}",
            "{\"type\":\"response.cancel\",\"stream_id\":\"a\"}",
            "{\"type\":\"response.cancel\",\"response_id\":\"PREVIOUS\"}",
            "{\"type\":\"response.steer\",\"previous_response_id\":\"PREVIOUS\",\"input\":[]}",
            "{\"type\":\"tidestream.credit\",\"stream_id\":\"a\",\"n\":3}");
    private static final List<String> PIECES =
            List.of("null", "-1", "0", "1e999", "99999999999999999999", "\"", "{", "}", "[", "]", "[[[[[[[[", ":", ",",
            "\\u0000", "\\ud800", "true", "false", "{}", "[]", "\"stream_id\":\"d\",", "\"a b\"", "\u00e9", "\uffff",
            "\ud83d\ude00", "\"credit\":0,",
            "\"generate\":false,", "\"store\":true,");

    @Test
    void shouldAnswerWhateverComes() throws Exception {
        try (TestServer server = new TestServer(CONFIG); ExecutorService clients = Executors.newFixedThreadPool(THREADS + 1)) {
            AtomicBoolean done = new AtomicBoolean();
            Future<Integer> beside = clients.submit(() -> streamUntil(server.port(), done));
            List<Future<Map<String, Integer>>> mutators = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(2_000 + i);
                mutators.add(clients.submit(() -> mutate(server.port(), random)));
            }
            Map<String, Integer> heard = new HashMap<>();
            try {
                for (Future<Map<String, Integer>> each : mutators) {
                    each.get().forEach((what, count) -> heard.merge(what, count, Integer::sum));
                }
            } finally {
                done.set(true);
            }
            assertTrue(beside.get() > 0, "tokens of the stream beside");
            for (String what : List.of("response.incomplete", "response.completed", "malformed_json", "invalid_stream_id", "unknown_type",
                    "previous_response_not_found", "unsupported_event", "missing_field", "unsupported_parameter")) {
                assertTrue(heard.getOrDefault(what, 0) > 0, what + " was never heard: " + heard);
            }
            server.engine.await(() -> server.engine.running() == 0);
            assertEquals(200, server.http("GET", "/v1/models").statusCode());
            assertEquals(0, server.stats().assemblyBytes());
        }
    }

    /** Mutated messages on many connections; how often each kind of end and each code was heard. */
    private static Map<String, Integer> mutate(int port, Random random) throws InterruptedException {
        Map<String, Integer> heard = new HashMap<>();
        for (int sent = 0; sent < MESSAGES / THREADS; sent += MESSAGES_OF_ONE) {
            Map<String, Integer> numbers = new HashMap<>();
            String previous = "resp_none";
            try (LaneClient client = new LaneClient(port)) {
                for (int i = 0; i < MESSAGES_OF_ONE; i++) {
                    String template = MESSAGES_TO_MUTATE.get(random.nextInt(MESSAGES_TO_MUTATE.size())).replace("PREVIOUS", previous);
                    String message = mutated(template, random);
                    client.send(message);
                    if (i % 5 == 4) { // an answer that comes at once, whatever runs
                        String mark = "mark_" + i;
                        client.send("{\"type\":\"response.cancel\",\"response_id\":\"" + mark + "\"}");
                        for (JsonNode answer : client.until(a -> a.path("message").asText().contains(mark))) {
                            check(answer, numbers, message);
                            heard.merge(answer.has("code") ? answer.get("code").asText() : LaneClient.type(answer), 1, Integer::sum);
                            previous = LaneClient.id(answer).isEmpty() ? previous : LaneClient.id(answer);
                        }
                    }
                }
            }
        }
        return heard;
    }

    private static void check(JsonNode answer, Map<String, Integer> numbers, String sent) {
        if (LaneClient.type(answer).equals("error")) {
            assertTrue(STATUSES.contains(answer.get("status").intValue()), () -> answer + " near " + sent);
            for (String field : List.of("code", "message", "param", "type")) {
                assertTrue(answer.get("error").has(field), () -> answer + " near " + sent);
            }
        } else {
            assertTrue(LaneClient.type(answer).startsWith("response."), answer::toString);
            int number = answer.get("sequence_number").intValue();
            int expected = LaneClient.type(answer).equals("response.created") ? 0 : numbers.getOrDefault(LaneClient.lane(answer), -1) + 1;
            assertEquals(expected, number, () -> "the events of a lane follow each other: " + answer);
            numbers.put(LaneClient.lane(answer), number);
        }
    }

    private static String mutated(String text, Random random) {
        StringBuilder mutated = new StringBuilder(text);
        for (int left = random.nextInt(4); left > 0; left--) {
            int at = random.nextInt(mutated.length() + 1);
            int end = Math.min(mutated.length(), at + random.nextInt(6));
            switch (random.nextInt(4)) {
                case 0 -> mutated.delete(at, end);
                case 1 -> mutated.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> mutated.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
                default -> mutated.insert(at, mutated.substring(at, end));
            }
        }
        return new String(mutated.toString().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8); // halves of characters are no text
    }

    /** A stream of the own wire, a credit after the other; how many tokens came, of which none was missing. */
    private static int streamUntil(int port, AtomicBoolean done) throws InterruptedException {
        try (TestClient client = new TestClient(port)) {
            client.generate("beside", "count", 1_000_000, ",\"credit\":" + CREDIT);
            int next = 0;
            while (true) {
                switch (client.next()) {
                    case ServerMessage.Token token -> {
                        assertEquals(next++, token.seq());
                        if (next % CREDIT == 0 && next < 900_000) {
                            if (done.get()) {
                                return next;
                            }
                            client.credit("beside", CREDIT);
                        }
                    }
                    case ServerMessage.Accepted accepted -> assertEquals(0, next);
                    case ServerMessage other -> throw new AssertionError("the stream beside was disturbed: " + other);
                }
            }
        }
    }
}

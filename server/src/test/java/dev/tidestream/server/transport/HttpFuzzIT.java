package dev.tidestream.server.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Requests that nobody would send, 20,000 of them: each has a code, and the server goes on. */
@ExtendWith(NettyLeakCheck.class)
class HttpFuzzIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int THREADS = 4;
    private static final int BODIES_EACH = 4750;
    private static final int HEADS_EACH = 250;
    private static final int MAX_TOKENS = 100;
    private static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, 4096, 16384, MAX_TOKENS, 64, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));
    private static final Set<Integer> CODES = Set.of(200, 204, 400, 404, 405, 413, 426, 503);
    private static final List<String> PATHS = List.of("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/responses/resp_x",
            "/v1/responses/resp_x/cancel", "/v1/responses/resp_x/input_items?limit=2&order=asc",
            "/v1/responses/resp_x?stream=true&starting_after=3",
            "/v1/models", "/v1/models/m%2F1", "/tokenize", "/detokenize", "/apply-template", "/nothing");
    /** The path that each body is for, as an index of {@link #PATHS}. */
    private static final int[] OWN_PATHS = {0, 0, 1, 1, 2, 2, 10, 9};
    private static final List<String> BODIES = List.of(
            "{\"model\":\"m/1\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
            + "\"content\":[{\"type\":\"text\",\"text\":\"count\"}]}],"
                    + "\"max_tokens\":2,\"n\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true},\"logprobs\":true,"
                    + "\"top_logprobs\":2}",
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null,"
                    + "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
                    + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"4\"}],"
                    + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
                    + "\"chat_template_kwargs\":{\"loud\":true},\"stop\":[\"x\"]}",
            "{\"prompt\":[\"a\",\"b\"],\"max_tokens\":3,\"logit_bias\":{\"5\":-100},\"seed\":7,\"temperature\":0.5,"
                    + "\"echo\":true,\"logprobs\":1}",
            "{\"prompt\":[104,105],\"max_tokens\":1,\"stream\":true,\"return_token_ids\":true,\"tidestream\":{\"weights\":\"follow\"}}",
            "{\"input\":\"count\",\"max_output_tokens\":2,\"stream\":true,\"metadata\":{\"a\":\"b\"},"
            + "\"include\":[\"message.output_text.logprobs\"]}",
            "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]},{\"type\":\"function_call\","
            + "\"call_id\":\"c\",\"name\":\"f\","
                    + "\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"4\"}],"
                    + "\"instructions\":\"i\","
                    + "\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}],\"previous_response_id\":null}",
            "{\"tokens\":[104,105]}",
            "{\"content\":\"hi\",\"return_token_strs\":true}");
    private static final List<String> PIECES =
            List.of("null", "-1", "0", "1e999", "99999999999999999999", "\"", "{", "}", "[", "]", "[[[[[[[[", ":", ",",
            "\\u0000", "\\ud800", "true", "{}", "[]", "\"role\":", "\"user\"", "\u00e9", "\uffff", "\ud83d\ude00", "\"n\":3,",
            "\"stream\":true,");

    @Test
    void shouldAnswerWhateverComes() throws Exception {
        try (TestServer server = new TestServer(CONFIG); ExecutorService clients = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Integer>> done = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Random random = new Random(1_000 + i);
                done.add(clients.submit(() -> bodies(server.port(), random) + heads(server.port(), random)));
            }
            int good = 0;
            for (Future<Integer> each : done) {
                good += each.get();
            }
            assertTrue(good > 1_000, "most mutations must not be refused for the same reason: answered with 200: " + good);
            server.engine.await(() -> server.engine.running() == 0);
            assertEquals(200, server.http("GET", "/v1/models").statusCode());
        }
    }

    /** Mutated bodies on connections that go on. */
    private static int bodies(int port, Random random) throws IOException {
        int good = 0;
        RawHttp http = new RawHttp(port);
        try {
            for (int i = 0; i < BODIES_EACH; i++) {
                String method = random.nextInt(8) == 0 ? List.of("GET", "DELETE", "PUT", "HEAD", "OPTIONS").get(random.nextInt(5)) : "POST";
                int kind = random.nextInt(BODIES.size());
                String path = PATHS.get(random.nextInt(4) == 0 ? random.nextInt(PATHS.size()) : OWN_PATHS[kind]);
                byte[] body = mutated(BODIES.get(kind), random).getBytes(StandardCharsets.UTF_8);
                String head = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n".formatted(method, path, body.length);
                RawHttp.Answer answer = http.send(concat(head.getBytes(StandardCharsets.US_ASCII), body)).anyAnswer(!method.equals("HEAD"));
                String sent = head + new String(body, StandardCharsets.UTF_8);
                assertTrue(CODES.contains(answer.status()), () -> answer + " to " + sent);
                if (answer.status() == 200) {
                    good++;
                } else if (!method.equals("HEAD") && answer.status() != 204) {
                    JsonNode error = JSON.readTree(answer.body()).path("error");
                    for (String key : List.of("message", "type", "param", "code")) {
                        assertTrue(error.has(key), () -> answer + " to " + sent);
                    }
                }
                if (answer.head().contains("\r\nconnection: close")) {
                    http.close();
                    http = new RawHttp(port);
                }
            }
        } finally {
            http.close();
        }
        return good;
    }

    /** Mutated heads, each on a connection of its own, which is closed half. */
    private static int heads(int port, Random random) throws IOException {
        for (int i = 0; i < HEADS_EACH; i++) {
            String body = BODIES.get(random.nextInt(BODIES.size()));
            String head = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                    .formatted(PATHS.get(random.nextInt(PATHS.size())), body.length());
            try (RawHttp http = new RawHttp(port)) {
                String answer = http.send((mutated(head, random) + body).getBytes(StandardCharsets.UTF_8)).rest();
                assertTrue(answer.isEmpty() || answer.startsWith("HTTP/1."), answer);
            }
        }
        return 0;
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
        return mutated.toString();
    }

    private static byte[] concat(byte[] head, byte[] body) {
        byte[] all = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, all, head.length, body.length);
        return all;
    }
}

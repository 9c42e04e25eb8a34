package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.metrics.PrometheusPage;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Requests of which four fifths of the prompt are the same, at a real server: what is computed falls, what is said does not
 * change.
 */
class PrefixReuseIT {
    private static final int PATIENCE_S = 60;
    private static final int REQUESTS = 16;
    private static final int PROMPT = 480;
    private static final int COMMON = 384; // twelve blocks
    private static final int TOKENS = 8;

    @TempDir
    Path temp;

    /** What a client and the server say of all requests. */
    private record Outcome(List<List<ServerMessage.Token>> said, List<Integer> cached, long rows) {}

    private static String request(int i) {
        List<Integer> tokens = new ArrayList<>(IntStream.range(0, COMMON).map(t -> 300 + t * 7 % 1000).boxed().toList());
        SplittableRandom random = new SplittableRandom(i);
        while (tokens.size() < PROMPT) {
            tokens.add(300 + random.nextInt(2000));
        }
        return ("{\"type\":\"generate\",\"id\":\"r%d\",\"tokens\":%s,\"max_tokens\":%d,\"logprobs\":2,"
                + "\"sampling\":{\"temperature\":1,\"seed\":%d,\"logit_bias\":{\"1\":-100,\"2\":-100}}}")
                .formatted(i, tokens, TOKENS, i);
    }

    private Outcome run(String name, boolean together, String prefixCache) throws Exception {
        try (StartedServer server = server(name, prefixCache); TestClient client = new TestClient(server.port())) {
            client.send(request(1000)); // a stream of something else, so that everything is compiled
            client.untilFinished("r1000");
            EngineStats before = awaitIdle(server);
            List<List<ServerMessage.Token>> said = new ArrayList<>();
            List<Integer> cached = new ArrayList<>(Collections.nCopies(REQUESTS, 0));
            for (int i = 0; i < REQUESTS; i++) {
                said.add(new ArrayList<>());
            }
            int done = 0;
            for (int i = 0; i < REQUESTS; i++) {
                client.send(request(i));
                while (done < (together ? i == REQUESTS - 1 ? REQUESTS : 0 : i + 1)) {
                    switch (client.next()) {
                        case ServerMessage.Token token -> said.get(number(token.id())).add(anonymous(token));
                        case ServerMessage.Finished finished -> {
                            cached.set(number(finished.id()), finished.usage().cachedTokens());
                            done++;
                        }
                        case ServerMessage.Failed failed -> throw new AssertionError(failed.toString());
                        default -> { }
                    }
                }
            }
            return new Outcome(said, cached, awaitIdle(server).since(before).rows());
        }
    }

    private StartedServer server(String name, String prefixCache, String... more) throws IOException {
        Path directory = temp.resolve(name);
        List<String> options = new ArrayList<>(List.of("--prefix-cache", prefixCache));
        options.addAll(List.of(more));
        return new StartedServer(Files.createDirectories(directory), options.toArray(String[]::new));
    }

    private static EngineStats awaitIdle(StartedServer server) {
        EngineStats stats = server.running().engine().stats();
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (stats.running() + stats.queued() > 0) {
            if (System.nanoTime() > deadlineNs) {
                throw new AssertionError("not idle within %d s: %s".formatted(PATIENCE_S, stats));
            }
            Thread.onSpinWait();
            stats = server.running().engine().stats();
        }
        return stats;
    }

    private static int number(String id) {
        return Integer.parseInt(id.substring(1));
    }

    private static ServerMessage.Token anonymous(ServerMessage.Token t) {
        return new ServerMessage.Token("r", t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs());
    }

    @Test
    void shouldComputeAFifthOfEachPromptAndSayTheSame() throws Exception {
        Outcome without = run("without", false, "off");
        Outcome with = run("with", false, "0.5");
        Outcome together = run("together", true, "0.5");
        assertEquals(without.said(), with.said());
        assertEquals(without.said(), together.said());
        assertEquals(Collections.nCopies(REQUESTS, 0), without.cached());
        assertEquals(Collections.nCopies(REQUESTS, COMMON), with.cached(), "the stream before has begun the same");
        assertEquals((long) REQUESTS * (PROMPT + TOKENS - 1), without.rows());
        assertEquals(without.rows() - (long) REQUESTS * COMMON, with.rows());
        assertEquals(with.rows(), together.rows());
    }

    @Test
    void shouldReportCachedTokensOnEveryWire() throws Exception {
        String text = "Once upon a time there was a little girl who lived in a house by the sea. ".repeat(4);
        Path template = Files.writeString(temp.resolve("chat.jinja"), "{% for m in messages %}{{ m.content }}\n{% endfor %}");
        try (StartedServer server = server("wires", "0.5", "--chat-template", template.toString());
                HttpClient http = HttpClient.newHttpClient()) {
            String completion = "{\"prompt\":\"%s\",\"max_tokens\":2}".formatted(text);
            assertEquals("0", cachedTokens(post(http, server, "/v1/completions", completion), "prompt_tokens_details"));
            String cached = cachedTokens(post(http, server, "/v1/completions", completion), "prompt_tokens_details");
            assertTrue(Integer.parseInt(cached) >= 64 && Integer.parseInt(cached) % 32 == 0, cached);
            String response = "{\"input\":\"%s\",\"max_output_tokens\":16}".formatted(text);
            post(http, server, "/v1/responses", response);
            String ofResponse = cachedTokens(post(http, server, "/v1/responses", response), "input_tokens_details");
            assertTrue(Integer.parseInt(ofResponse) >= 64, ofResponse);
            HttpRequest page = HttpRequest.newBuilder(uri(server, "/metrics")).build();
            String metrics = http.send(page, HttpResponse.BodyHandlers.ofString()).body();
            assertTrue(PrometheusPage.parse(metrics).value("tidestream_engine_prefix_hit_tokens_total") >= 128, metrics);
        }
    }

    private static URI uri(StartedServer server, String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    private static String post(HttpClient http, StartedServer server, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(server, path)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
        return answer.body();
    }

    private static String cachedTokens(String answer, String details) {
        return answer.replaceAll("(?s).*\"" + details + "\":\\{\"cached_tokens\":(\\d+).*", "$1");
    }
}

package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.vertx.core.Vertx;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.NettyLeakCheck;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TestClient;
import dev.tidestream.server.transport.TransportConfig;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The whole server with real models, seen through its socket and its command line. */
class AcceptanceIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STORIES = "models/stories260K/stories260K.gguf";
    private static final String GREEDY = ",\"sampling\":{\"temperature\":0}";

    @RegisterExtension
    static final NettyLeakCheck LEAKS = new NettyLeakCheck();

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldTellTheGoldenStoryAloneAndBesideFifteenOthers(int threads) throws Exception {
        Path model = SharedData.path(STORIES);
        int[] golden = goldenIds();
        try (Server server = new Server("--threads", String.valueOf(threads), "--model", model.toString());
                TestClient client = new TestClient(server.port())) {
            client.generate("alone", "", 200, GREEDY);
            assertArrayEquals(golden, ids(client.untilFinished("alone"), "alone"));

            Map<String, int[]> expected = new HashMap<>();
            for (int i = 0; i < 15; i++) {
                client.generate("s" + i, "Once there was " + "a cat and ".repeat(i), 40 + i, sampled(i));
                expected.put("s" + i, ids(client.untilFinished("s" + i), "s" + i));
            }
            for (int i = 0; i < 15; i++) {
                client.generate("s" + i, "Once there was " + "a cat and ".repeat(i), 40 + i, sampled(i));
            }
            client.generate("golden", "", 200, GREEDY);
            expected.put("golden", golden);
            Map<String, List<Integer>> actual = new HashMap<>();
            for (int finished = 0; finished < 16; ) {
                switch (client.next()) {
                    case ServerMessage.Token t -> actual.computeIfAbsent(t.id(), id -> new ArrayList<>()).add(t.token());
                    case ServerMessage.Finished _ -> finished++;
                    case ServerMessage.Failed f -> throw new AssertionError(f.toString());
                    case ServerMessage.Accepted _, ServerMessage.Progress _, ServerMessage.WeightsChanged _ -> { }
                }
            }
            expected.forEach((id, ids) -> assertArrayEquals(
                    ids, actual.getOrDefault(id, List.of()).stream().mapToInt(Integer::intValue).toArray(), id));
        }
    }

    @Test
    void shouldCancelAndStarveStreamsWithoutDisturbingTheRest() throws Exception {
        try (Server server = new Server(); TestClient client = new TestClient(server.port())) {
            for (int i = 0; i < 8; i++) {
                // those to be cancelled cannot come to their end before, however late this client is
                String credit = i == 7 ? ",\"credit\":5" : i < 2 ? ",\"credit\":50" : "";
                client.generate("s" + i, "Once upon a time", 100, sampled(i) + credit);
            }
            Map<String, Integer> tokens = new HashMap<>();
            Map<String, ServerMessage.Finished> finished = new HashMap<>();
            while (finished.size() < 7) {
                receive(client, tokens, finished);
            }
            assertEquals(5, tokens.get("s7"), "a starved stream stands at its credit");
            client.credit("s7", 3).credit("s7", 1000);
            while (finished.size() < 8) {
                receive(client, tokens, finished);
            }
            finished.forEach((id, f) -> {
                boolean cancelled = id.equals("s0") || id.equals("s1");
                assertEquals(cancelled ? FinishReason.CANCELLED : FinishReason.LENGTH, f.reason(), id);
                int received = tokens.getOrDefault(id, 0);
                assertEquals(received, f.usage().completionTokens(), id);
                assertTrue(cancelled ? received < 100 : received == 100, id);
            });
        }
    }

    private static void receive(
            TestClient client, Map<String, Integer> tokens, Map<String, ServerMessage.Finished> finished)
            throws InterruptedException {
        switch (client.next()) {
            case ServerMessage.Token t -> {
                assertEquals(tokens.merge(t.id(), 1, Integer::sum) - 1, t.seq());
                if (t.seq() == 9 && (t.id().equals("s0") || t.id().equals("s1"))) {
                    client.cancel(t.id());
                }
            }
            case ServerMessage.Finished f -> finished.put(f.id(), f);
            case ServerMessage.Failed f -> throw new AssertionError(f.toString());
            case ServerMessage.Accepted _, ServerMessage.Progress _, ServerMessage.WeightsChanged _ -> { }
        }
    }

    /** The script's own checks decide; its output is shown if they fail. */
    @Test
    void shouldServeTheWebSocketOfNode() throws Exception {
        List<String> node = List.of("node", "--experimental-websocket");
        Assumptions.assumeTrue(
                run(List.of("node", "--experimental-websocket", "-e", "new WebSocket('ws://127.0.0.1:1').onerror = () => {}"))
                        .exitCode() == 0,
                "no Node with a WebSocket on this machine");
        try (Server server = new Server()) {
            List<String> command = new ArrayList<>(node);
            command.add(Path.of("src/test/node/acceptance.mjs").toAbsolutePath().toString());
            command.add("ws://127.0.0.1:%d/v1/stream".formatted(server.port()));
            Ran ran = run(command);
            assertEquals(0, ran.exitCode(), ran.output());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldTellTheGoldenStoryOnTheCommandLine(int threads) throws IOException {
        String model = SharedData.path(STORIES).toString();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), "generate", "--model", model, "--prompt", "",
                "--max-tokens", "200", "--temperature", "0", "--threads", String.valueOf(threads), "--json");
        assertEquals(0, code, err.toString());
        JsonNode result = JSON.readTree(out.toString());
        assertArrayEquals(goldenIds(), ints(result.get("tokens")));
        assertArrayEquals(new int[] {1}, ints(result.get("prompt_tokens")));
        assertEquals("length", result.get("finish_reason").asText());
        assertEquals(JSON.readTree(SharedData.path("models/stories260K/greedy_bos.json").toFile()).get("text").asText(),
                result.get("text").asText());
    }

    private record Ran(int exitCode, String output) {}

    private static Ran run(List<String> command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(90, TimeUnit.SECONDS), output);
            return new Ran(process.exitValue(), output);
        } catch (IOException e) {
            return new Ran(127, String.valueOf(e.getMessage()));
        }
    }

    private static String sampled(int seed) {
        return ",\"sampling\":{\"temperature\":0.9,\"top_p\":0.95,\"seed\":%d,\"logit_bias\":{\"0\":-100,\"2\":-100}}".formatted(seed);
    }

    private static int[] ids(List<ServerMessage> messages, String id) {
        return messages.stream()
                .filter(m -> m instanceof ServerMessage.Token t && t.id().equals(id))
                .mapToInt(m -> ((ServerMessage.Token) m).token())
                .toArray();
    }

    private static int[] goldenIds() throws IOException {
        int[] ids = ints(JSON.readTree(SharedData.path("models/stories260K/greedy_bos.json").toFile()).get("ids"));
        return IntStream.of(ids).skip(1).toArray(); // without BOS
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    /** What {@code serve} starts, on a free port. */
    private static final class Server implements AutoCloseable {
        private final ModelRuntime running;
        private final Vertx vertx = Vertx.vertx();
        private final ServerVerticle verticle;

        Server(String... args) {
            ServeCommand serve = new ServeCommand();
            Main.commandLine(serve).parseArgs(args);
            running = ModelRuntime.start(serve.config().withEngine(EngineConfig.DEFAULT), StartListener.NONE);
            verticle = new ServerVerticle(TransportConfig.DEFAULT.withAddress("127.0.0.1", 0), running.engine(), () -> Readiness.READY);
            vertx.deployVerticle(verticle).toCompletionStage().toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
        }

        int port() {
            return verticle.actualPort();
        }

        @Override
        public void close() {
            vertx.close().toCompletionStage().toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
            running.close();
        }
    }
}

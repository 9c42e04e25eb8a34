package dev.tidestream.server.app;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SequencedMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.adapters.AdapterLimits;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.RequestOptions;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.huggingface.Goldens;
import dev.tidestream.server.huggingface.Goldens.Golden;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A whole server with adapters: from the start and loaded later, asked for on both wires, unloaded again. */
class AdaptersServerIT {
    private static final String SUITE = "ties/suite";
    private static final String BASE = "base-tied-embed-only";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final SamplingOptions GREEDY =
            new SamplingOptions(0, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.empty());

    @TempDir
    Path temp;

    private static Path suite() {
        return SharedData.path(SUITE);
    }

    private static ServerConfig config(SequencedMap<String, Path> atStart, int maxAdapters) {
        ServerConfig.Compute compute = ServerConfig.Compute.DEFAULT;
        return ServerConfig.DEFAULT.withPort(0).withModel(suite().resolve(BASE).resolve("hf"))
                .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20).withMaxSequences(4))
                .withCompute(new ServerConfig.Compute(
                        2, compute.formats(), compute.activations(), compute.headActivations(), KvType.F32, null))
                .withAdapters(new ServerConfig.Adapters(atStart, new AdapterLimits(maxAdapters, 1L << 20, suite())));
    }

    private static SequencedMap<String, Path> atStart(String name, String of) {
        SequencedMap<String, Path> adapters = new LinkedHashMap<>();
        adapters.put(name, suite().resolve(of).resolve("adapter"));
        return adapters;
    }

    private static HttpResponse<String> post(TidestreamServer server, String path, String token, String body) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                    .timeout(Duration.ofSeconds(60)).POST(HttpRequest.BodyPublishers.ofString(body));
            if (!token.isEmpty()) {
                request.header("Authorization", "Bearer " + token);
            }
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static JsonNode get(TidestreamServer server, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return JSON.readTree(client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path)).build(),
                    HttpResponse.BodyHandlers.ofString()).body());
        }
    }

    private static List<ServerMessage> stream(TestClient client, String id, int[] prompt, int tokens, String more)
            throws InterruptedException {
        client.send("{\"type\":\"generate\",\"id\":\"%s\",\"tokens\":%s,\"max_tokens\":%d,\"sampling\":{\"temperature\":0}%s}"
                .formatted(id, Arrays.toString(prompt), tokens, more));
        return client.until(message -> message instanceof ServerMessage.Finished || message instanceof ServerMessage.Failed);
    }

    private static int[] ids(List<ServerMessage> messages) {
        return messages.stream().filter(ServerMessage.Token.class::isInstance)
                .mapToInt(message -> ((ServerMessage.Token) message).token()).toArray();
    }

    private static Golden golden(String of) throws Exception {
        Path folder = suite().resolve(of);
        JsonNode json = Goldens.json(folder.resolve("golden.json"));
        return Goldens.read(folder, json, json);
    }

    private static void assertGolden(TestClient client, String of, String adapter) throws Exception {
        Golden golden = golden(of);
        List<ServerMessage> said = stream(client, of, golden.prompt(), golden.greedy().length,
                adapter.isEmpty() ? "" : ",\"adapter\":\"%s\"".formatted(adapter));
        int[] expected = golden.greedy();
        int[] made = ids(said);
        assertTrue(made.length > 0, () -> "nothing: " + said);
        assertEquals(Arrays.toString(Arrays.copyOf(expected, made.length)), Arrays.toString(made), of);
        ServerMessage.Finished finished = (ServerMessage.Finished) said.getLast();
        assertTrue(made.length == expected.length || finished.reason() == FinishReason.STOP, () -> "too few: " + said);
        AdapterRef with = finished.adapter();
        if (adapter.isEmpty()) {
            assertNull(with);
        } else {
            assertEquals(adapter, Objects.requireNonNull(with).name());
            assertEquals(64, with.sha256().length());
        }
    }

    @Test
    void shouldServeAdaptersByNameAndLoadAndUnloadThem() throws Exception {
        try (TidestreamServer server = TidestreamServer.start(config(atStart("qv", "adapter-qv"), 2));
                TestClient client = new TestClient(server.port())) {
            String token = server.madeUpToken().orElseThrow();
            assertGolden(client, BASE, "");
            assertGolden(client, "adapter-qv", "qv");
            String head = "{\"lora_name\":\"org/head\",\"lora_path\":\"adapter-head/adapter\"}";
            assertEquals(401, post(server, "/v1/load_lora_adapter", "", head).statusCode());
            HttpResponse<String> loaded = post(server, "/v1/load_lora_adapter", token, head);
            assertEquals(200, loaded.statusCode(), loaded.body());
            assertEquals("org/head", JSON.readTree(loaded.body()).path("name").asText(), loaded.body());
            assertGolden(client, "adapter-head", "org/head");
            assertGolden(client, "adapter-qv", "qv");
            assertEquals(409, post(server, "/v1/load_lora_adapter", token, head).statusCode(), "it is loaded");
            assertEquals(409, post(server, "/v1/load_lora_adapter", token, head.replace("org/head", "third")).statusCode(),
                    "the limit is 2");

            JsonNode models = get(server, "/v1/models").path("data");
            assertEquals(3, models.size());
            String base = models.get(0).path("id").asText();
            assertEquals(base, models.get(2).path("parent").asText());
            assertEquals("org/head", get(server, "/v1/models/org/head").path("id").asText());

            String ask = "{\"prompt\":\"except old\",\"max_tokens\":4,\"temperature\":0,\"model\":\"%s\"}";
            JsonNode plain = JSON.readTree(post(server, "/v1/completions", "", ask.formatted(base)).body());
            JsonNode adapted = JSON.readTree(post(server, "/v1/completions", "", ask.formatted("org/head")).body());
            assertEquals("org/head", adapted.path("model").asText(), adapted.toString());
            assertTrue(adapted.path("system_fingerprint").asText().startsWith(plain.path("system_fingerprint").asText() + "-"));
            assertNotEquals(plain.path("choices"), adapted.path("choices"));
            HttpResponse<String> receipt = post(server, "/v1/completions", "",
                    ask.formatted("org/head").replace("{\"prompt\"", "{\"tidestream\":{\"receipt\":true},\"prompt\""));
            assertEquals(400, receipt.statusCode(), receipt.body());
            assertEquals("tidestream.receipt", JSON.readTree(receipt.body()).path("error").path("param").asText(), receipt.body());

            assertEquals(200, post(server, "/v1/unload_lora_adapter", token, "{\"lora_name\":\"org/head\"}").statusCode());
            assertEquals(404, post(server, "/v1/unload_lora_adapter", token, "{\"lora_name\":\"org/head\"}").statusCode());
            assertEquals(404, post(server, "/v1/completions", "", ask.formatted("org/head")).statusCode());
            ServerMessage.Failed failed =
                    (ServerMessage.Failed) stream(client, "gone", new int[] {1}, 1, ",\"adapter\":\"org/head\"").getLast();
            assertEquals("unknown_adapter", failed.code().wireName());
            assertEquals(1, server.running().adapters().all().size());
        }
    }

    /** What a resumed stream asks for that has to be computed anew. */
    @Test
    void shouldGoOnWithTheSameAdapterOnly() throws Exception {
        try (TidestreamServer server = TidestreamServer.start(config(atStart("qv", "adapter-qv"), 1))) {
            Golden golden = golden("adapter-qv");
            String sha256 = server.running().adapters().find("qv").orElseThrow().sha256();
            GenerateRequest request = new GenerateRequest(null, golden.prompt(), 12, GREEDY, List.of(), -1, WeightsPolicy.PIN)
                    .with(RequestOptions.NONE.withAdapter("qv"));
            int[] before = Arrays.copyOf(golden.greedy(), 5);
            List<TokenEvent> events = server.running().engine().generate(request.continued(1, new Continuation(before, 1, null, sha256)))
                    .events().collectList().block(Duration.ofSeconds(60));
            int[] after = Objects.requireNonNull(events).stream().filter(TokenEvent.Token.class::isInstance)
                    .mapToInt(event -> ((TokenEvent.Token) event).token()).toArray();
            assertArrayEquals(Arrays.copyOfRange(golden.greedy(), 5, 12), after);
            EngineException e = assertThrows(EngineException.class, () -> server.running().engine()
                    .generate(request.continued(1, new Continuation(before, 1, null, "0".repeat(64)))).events()
                    .blockLast(Duration.ofSeconds(60)));
            assertEquals(ErrorCode.VERSION_GONE, e.code());
        }
    }

    @Test
    void shouldRefuseWhatIsNotInTheDirectoryOrDoesNotFit() throws Exception {
        Path link = temp.resolve("suite");
        Files.createDirectories(link.resolve("outside"));
        Files.createSymbolicLink(link.resolve("outside/adapter_config.json"), suite().resolve("adapter-qv/adapter/adapter_config.json"));
        Files.createSymbolicLink(
                link.resolve("outside/adapter_model.safetensors"), suite().resolve("adapter-qv/adapter/adapter_model.safetensors"));
        ServerConfig config = config(new LinkedHashMap<>(), 4);
        config = config.withAdapters(new ServerConfig.Adapters(
                new LinkedHashMap<>(), new AdapterLimits(4, 1L << 20, link)));
        try (TidestreamServer server = TidestreamServer.start(config)) {
            String token = server.madeUpToken().orElseThrow();
            for (String path : List.of("../x", "nothing", suite().resolve("adapter-qv/adapter").toString(), "outside")) {
                HttpResponse<String> refused = post(server, "/v1/load_lora_adapter", token,
                        "{\"lora_name\":\"a\",\"lora_path\":\"%s\"}".formatted(path));
                assertEquals(400, refused.statusCode(), refused.body());
                assertEquals("invalid_path", JSON.readTree(refused.body()).path("error").path("code").asText(), refused.body());
            }
            assertEquals(400, post(server, "/v1/load_lora_adapter", token, "{\"lora_name\":\"a\"}").statusCode());
            assertEquals(400, post(server, "/v1/load_lora_adapter", token, "{").statusCode());
        }
        ServerException e = assertThrows(ServerException.class,
                () -> TidestreamServer.start(config(atStart("bad", "adapter-wrong-shape"), 4)));
        assertEquals(ServerException.Reason.ADAPTER, e.reason());
        assertTrue(String.valueOf(e.getMessage()).contains("layers.1.self_attn.v_proj"), e.getMessage());
    }
}

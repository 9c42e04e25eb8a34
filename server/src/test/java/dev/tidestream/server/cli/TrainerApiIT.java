package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The endpoints of vLLM and SGLang that trainers know, on the embedded model. */
class TrainerApiIT {
    private static final int H = 256;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    static Path temp = Path.of("");

    private static Path trainers = Path.of("");

    @SuppressWarnings("NullAway.Init") // before all tests
    private static StartedServer server;

    @BeforeAll
    static void start() throws Exception {
        trainers = Files.createDirectory(temp.resolve("trainers"));
        server = new StartedServer(temp, "--trainer-api", "--trainer-dir", trainers.toString(), "--trainer-wait", "1");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private record Answer(int status, JsonNode body) {
        String text(String name) {
            return body.path(name).asText();
        }

        String code() {
            return body.path("error").path("code").asText();
        }
    }

    private static Answer send(String method, String path, byte[] body, String token, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder().uri(URI.create("http://127.0.0.1:%d%s".formatted(server.port(), path)))
                .header("authorization", "Bearer " + token).method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        HttpResponse<String> response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body().isEmpty() ? "{}" : response.body()));
    }

    private static Answer post(String path, String body) throws Exception {
        return send("POST", path, body.getBytes(StandardCharsets.UTF_8), StartedServer.TOKEN);
    }

    private static Answer get(String path) throws Exception {
        return send("GET", path, new byte[0], StartedServer.TOKEN);
    }

    private static byte[] norm(String name, float value) {
        float[] values = new float[H];
        Arrays.fill(values, value);
        return new Parts().floats(name, List.of(H), values).bytes();
    }

    /** The norm of a layer, as it stands in a request. */
    private static String inline(int layer, float value) {
        ByteBuffer data = ByteBuffer.allocate(4 * H).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < H; i++) {
            data.putFloat(value);
        }
        return """
                {"update_info":{"backend":"http_safetensors","names":["model.layers.%d.input_layernorm.weight"],
                 "dtype_names":["torch.float32"],"shapes":[[256]],"data":"%s"}}"""
                .formatted(layer, Base64.getEncoder().encodeToString(data.array()));
    }

    @Test
    void shouldMakeOneVersionOfWhatAVllmTrainerPushes() throws Exception {
        assertEquals(200, post("/init_weight_transfer_engine", "{\"init_info\":{}}").status());
        assertEquals(1, get("/get_world_size").body().get("world_size").asInt());
        Answer paused = post("/pause?mode=keep", "");
        assertEquals("paused", paused.text("status"));
        assertTrue(paused.text("note").contains("streams go on"), paused.body().toString());
        assertTrue(get("/is_paused").body().get("is_paused").asBoolean());
        long before = get("/weight_info").body().get("weights_version").asLong();
        Answer started = post("/start_weight_update", "{\"is_checkpoint_format\":true}");
        assertEquals("Weight update started", started.text("message"));
        assertEquals("Weights updated", post("/update_weights", inline(0, 1.5f)).text("message"));
        Files.write(trainers.resolve("norm.safetensors"), norm("model.norm.weight", 1.25f));
        assertEquals(2, post("/update_weights", "{\"update_info\":{\"files\":[\"norm.safetensors\"]}}").body().get("parts").asInt());
        Answer finished = post("/finish_weight_update", "{\"weight_version\":\"step 7\"}");
        assertEquals("Weight update finished", finished.text("message"));
        assertEquals(before + 1, finished.body().get("weights_version").asLong());
        assertEquals(2, finished.body().get("tensors").asInt());
        assertEquals("step 7", get("/weight_info").text("weight_version"));
        assertEquals("step 7", get("/get_weight_version").text("weight_version"));
        assertEquals("step 7", get("/admin/weights/versions/" + (before + 1)).text("label"));
        assertEquals("seven", post("/update_weight_version", "{\"new_version\":\"seven\"}").text("new_version"));
        assertEquals("seven", get("/weight_info").text("weight_version"));
        assertEquals("resumed", post("/resume", "").text("status"));
        assertFalse(get("/is_paused").body().get("is_paused").asBoolean());
    }

    @Test
    void shouldTakePartsOfWhatWasStartedAndGiveUpWhatATrainerHasLeft() throws Exception {
        String left = post("/start_weight_update", "").text("update_id");
        Answer started = post("/start_weight_update", "");
        assertEquals(404, get("/admin/weights/updates/" + left).status());
        byte[] part = norm("model.norm.weight", 0.75f);
        assertEquals(204, send("PUT", started.text("parts") + "0", part, StartedServer.TOKEN, "x-content-sha256", Sha256.of(part))
                .status());
        Answer finished = post("/finish_weight_update", "{\"weight_version\":null}");
        assertEquals(1, finished.body().get("tensors").asInt(), finished.body().toString());
        assertEquals(finished.text("weights_version"), get("/weight_info").text("weight_version"), "its number, for want of a name");
        assertEquals("unknown_update", post("/finish_weight_update", "").code());
    }

    @Test
    void shouldMakeOneVersionOfADirectoryForSglang() throws Exception {
        Path folder = Files.createDirectories(trainers.resolve("run/step-9"));
        Files.write(folder.resolve("model-00001.safetensors"), norm("model.norm.weight", 1.125f));
        Files.write(folder.resolve("model-00002.safetensors"), norm("model.layers.1.input_layernorm.weight", 1.125f));
        Files.writeString(folder.resolve("model.safetensors.index.json"), "{}");
        assertEquals("ok", post("/pause_generation", "{\"mode\":\"in_place\"}").text("status"));
        for (String path : List.of("run/step-9", folder.toString())) {
            Answer done = post("/update_weights_from_disk",
                    "{\"model_path\":\"%s\",\"load_format\":null,\"flush_cache\":true,\"weight_version\":\"nine\"}".formatted(path));
            assertTrue(done.body().get("success").asBoolean(), done.body().toString());
            assertEquals(0, done.body().get("num_paused_requests").asInt());
            assertTrue(done.text("message").contains("2 tensors"), done.body().toString());
        }
        assertEquals("nine", get("/get_weight_version").text("weight_version"));
        assertEquals("ok", post("/continue_generation", "{}").text("status"));
        Files.write(folder.resolve("model-00003.safetensors"), norm("nobody.weight", 1));
        long before = get("/weight_info").body().get("weights_version").asLong();
        assertEquals("unknown_tensor", post("/update_weights_from_disk", "{\"model_path\":\"run/step-9\"}").code());
        assertEquals(before, get("/weight_info").body().get("weights_version").asLong());
    }

    @Test
    void shouldRefuseWhatIsNotItsToReadOrIsNoRequest() throws Exception {
        assertEquals(401, send("POST", "/start_weight_update", new byte[0], "not-the-token-at-all").status());
        Path outside = Files.write(temp.resolve("outside.safetensors"), norm("model.norm.weight", 1));
        Files.createSymbolicLink(trainers.resolve("link.safetensors"), outside);
        Files.createSymbolicLink(trainers.resolve("away"), temp.resolve("data"));
        Files.createDirectory(trainers.resolve("empty"));
        for (String path : List.of("../outside.safetensors", outside.toString(), "link.safetensors", "away", "empty", "nothing", "",
                "run/../../outside.safetensors", "/etc/passwd")) {
            Answer refused = post("/update_weights_from_disk", "{\"model_path\":\"%s\"}".formatted(path));
            assertEquals("invalid_path", refused.code(), path + ": " + refused.body());
            assertEquals(400, refused.status());
        }
        assertEquals("missing_field", post("/update_weights_from_disk", "{}").code());
        assertEquals("unknown_field", post("/update_weights_from_disk", "{\"model_path\":\"a\",\"nice\":1}").code());
        assertEquals("invalid_value", post("/update_weights_from_disk", "{\"model_path\":\"a\",\"load_format\":\"pt\"}").code());
        assertEquals("invalid_value", post("/init_weight_transfer_engine", "{\"init_info\":{\"backend\":\"nccl\"}}").code());
        assertEquals("invalid_value", post("/pause?mode=forever", "").code());
        assertEquals("malformed_json", post("/update_weights", "{").code());
        assertEquals(201, post("/admin/weights/updates", "{\"update_id\":\"room\",\"base_version\":%d}"
                .formatted(get("/weight_info").body().get("weights_version").asLong())).status(), "nothing was left open");
        assertEquals(204, post("/admin/weights/updates/room/abort", "").status());
    }

    @Test
    void shouldWaitForStreamsOrEndThem() throws Exception {
        try (TestClient client = new TestClient(server.port())) {
            client.generate("stays", "Once upon a time", 400, ",\"sampling\":{\"logit_bias\":{\"0\":-100}},\"credit\":2");
            client.until(message -> message instanceof ServerMessage.Token);
            assertEquals(1, post("/pause?mode=wait", "").body().get("still_running").asInt());
            assertEquals(1, post("/pause?mode=abort", "").body().get("aborted").asInt());
            client.credit("stays", 10);
            List<ServerMessage> rest = client.untilFinished("stays");
            assertTrue(rest.getLast() instanceof ServerMessage.Finished finished && finished.reason() == FinishReason.CANCELLED,
                    rest.toString());
            assertEquals(0, post("/pause?mode=wait", "").body().get("still_running").asInt());
            client.generate("later", "Once", 2, "");
            assertTrue(client.untilFinished("later").getLast() instanceof ServerMessage.Finished, "a pause keeps nobody out");
        }
        post("/resume", "");
    }

    @Test
    void shouldNotBeThereUnlessAskedFor(@TempDir Path other) throws Exception {
        try (StartedServer plain = new StartedServer(other)) {
            HttpResponse<String> answer = HTTP.send(HttpRequest.newBuilder()
                    .uri(URI.create("http://127.0.0.1:%d/pause".formatted(plain.port())))
                    .header("authorization", "Bearer " + StartedServer.TOKEN)
                    .POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(404, answer.statusCode());
        }
        Run run = Run.of("serve", "--trainer-api");
        assertEquals(2, run.code());
        assertTrue(run.err().contains("--trainer-api needs --data-dir"), run.err());
    }
}

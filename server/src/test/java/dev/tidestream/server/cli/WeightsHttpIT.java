package dev.tidestream.server.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.TidestreamServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Updates of many tensors over real HTTP, on the embedded model. */
class WeightsHttpIT {
    private static final String TOKEN = "a-token-of-this-test-alone";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int H = 256;
    private static final int V = 4096;

    @TempDir
    Path temp;

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    @SuppressWarnings("NullAway.Init") // before each test
    private TidestreamServer server;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(temp.resolve("token"), TOKEN);
        ServeCommand options = new ServeCommand();
        Main.commandLine(options).parseArgs("--port", "0", "--data-dir", temp.resolve("data").toString(),
                "--admin-token-file", temp.resolve("token").toString());
        server = TidestreamServer.listen(options.config(), StartListener.NONE);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private record Answer(int status, JsonNode body, HttpResponse<String> response) {
        String code() {
            return body.path("error").path("code").asText();
        }
    }

    private Answer send(String method, String path, byte @Nullable [] body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder()
                .uri(URI.create("http://127.0.0.1:%d/admin/weights/%s".formatted(server.port(), path)))
                .method(method, body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body().isEmpty() ? "{}" : response.body()), response);
    }

    private Answer post(String path, String body) throws Exception {
        return send("POST", path, body.getBytes(StandardCharsets.UTF_8), "authorization", "Bearer " + TOKEN);
    }

    private Answer get(String path) throws Exception {
        return send("GET", path, null, "authorization", "Bearer " + TOKEN);
    }

    private Answer put(String path, byte[] part, String sha256) throws Exception {
        return send("PUT", path, part, "authorization", "Bearer " + TOKEN, "x-content-sha256", sha256);
    }

    private Answer open(String id, long base) throws Exception {
        return post("updates", "{\"update_id\":\"%s\",\"base_version\":%d,\"label\":\"step ü\"}".formatted(id, base));
    }

    private static byte[] rows(float value) {
        float[] values = new float[2 * H];
        Arrays.fill(values, value);
        return new Parts().with("kind", "rows").ints("lm_head.weight.rows", 7, 3)
                .floats("lm_head.weight.values", List.of(2, H), values).bytes();
    }

    private static byte[] norm(float value) {
        float[] values = new float[H];
        Arrays.fill(values, value);
        return new Parts().floats("model.norm.weight", List.of(H), values).bytes();
    }

    @Test
    void shouldMakeOneVersionOfManyTensorsOnceHoweverOftenItIsAsked() throws Exception {
        assertEquals(201, open("u1", 1).status());
        assertEquals(200, open("u1", 1).status());
        byte[] first = rows(0.25f);
        byte[] second = norm(1.5f);
        assertEquals(204, put("updates/u1/parts/0", first, Sha256.of(first)).status());
        assertEquals(204, put("updates/u1/parts/0", first, Sha256.of(first)).status());
        assertEquals("incomplete", post("updates/u1/commit", "{\"parts\":2}").code());
        assertEquals(204, put("updates/u1/parts/1", second, Sha256.of(second)).status());
        assertEquals(2, get("updates/u1").body().get("parts").size());
        String manifest = Sha256.of("0 %s\n1 %s\n".formatted(Sha256.of(first), Sha256.of(second)).getBytes(StandardCharsets.UTF_8));
        Answer committed = post("updates/u1/commit", "{\"parts\":2,\"manifest_sha256\":\"%s\"}".formatted(manifest));
        assertEquals(200, committed.status(), committed.body().toString());
        assertEquals(2, committed.body().get("version").asLong());
        assertEquals(2, committed.body().get("changed").get("token_embd.weight").asLong());
        assertFalse(committed.body().get("repeated").asBoolean());
        Answer again = post("updates/u1/commit", "{\"parts\":2,\"manifest_sha256\":\"%s\"}".formatted(manifest));
        assertTrue(again.body().get("repeated").asBoolean());
        assertEquals(2, again.body().get("version").asLong());
        assertEquals("committed", open("u1", 1).body().get("state").asText());
        assertEquals("step ü", get("versions/2").body().get("label").asText());
        assertEquals(2, get("versions/2").body().get("checksums").size());
        assertTrue(post("versions/2/verify", "").body().get("sound").asBoolean());
        assertTrue(post("versions/1/verify", "").body().get("sound").asBoolean());
        assertEquals(3, post("rollback", "{\"to\":1}").body().get("version").asLong());
        assertTrue(post("versions/3/verify", "").body().get("sound").asBoolean());
        try (var files = Files.list(temp.resolve("data"))) {
            assertEquals(0, files.filter(file -> file.getFileName().toString().startsWith("open-")).count());
        }
    }

    @Test
    void shouldRefuseWithCodesAndChangeNothing() throws Exception {
        Answer stranger = send("POST", "updates", "{}".getBytes(StandardCharsets.UTF_8));
        assertEquals(401, stranger.status());
        assertEquals("unauthorized", stranger.code());
        assertEquals("missing_field", post("updates", "{\"base_version\":1}").code());
        assertEquals("unknown_field", post("updates", "{\"update_id\":\"a\",\"base_version\":1,\"nice\":1}").code());
        assertEquals("invalid_value", post("updates", "{\"update_id\":\"a/b\",\"base_version\":1}").code());
        assertEquals("malformed_json", post("updates", "{").code());
        Answer stale = open("a", 7);
        assertEquals(409, stale.status());
        assertEquals("base_version_conflict", stale.code());
        assertEquals(1, stale.body().get("current").asLong());
        assertEquals("false", stale.response().headers().firstValue("x-should-retry").orElse(""));
        assertEquals("unknown_update", get("updates/nobody").code());
        byte[] part = norm(1);
        assertEquals("unknown_update", put("updates/nobody/parts/0", part, Sha256.of(part)).code());
        assertEquals(201, open("a", 1).status());
        assertEquals("update_conflict", post("updates", "{\"update_id\":\"a\",\"base_version\":1,\"label\":\"other\"}").code());
        assertEquals("checksum_mismatch", put("updates/a/parts/0", part, Sha256.of(rows(1))).code());
        assertEquals("invalid_value", put("updates/a/parts/0", part, "nonsense").code());
        assertEquals(0, get("updates/a").body().get("parts").size());
        byte[] nan = norm(Float.NaN);
        assertEquals(204, put("updates/a/parts/0", nan, Sha256.of(nan)).status());
        assertEquals("non_finite", post("updates/a/commit", "{}").code());
        byte[] none = "not a safetensors file at all".getBytes(StandardCharsets.UTF_8);
        assertEquals(204, put("updates/a/parts/0", none, Sha256.of(none)).status());
        assertEquals("invalid_file", post("updates/a/commit", "{}").code());
        assertEquals(204, post("updates/a/abort", "").status());
        assertEquals("unknown_update", post("updates/a/commit", "{}").code());
        assertEquals("unknown_version", get("versions/9").code());
        assertEquals("unknown_version", post("rollback", "{\"to\":9}").code());
        assertEquals(1, get("versions").body().get("versions").size());
    }

    @Test
    void shouldTakeLargePartsFromSeveralClients() throws Exception {
        assertEquals(201, open("large", 1).status());
        float[] values = new float[V * H];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        byte[] whole = new Parts().floats("token_embd.weight", List.of(V, H), values).bytes();
        byte[] more = norm(2);
        List<Thread> clients = new ArrayList<>();
        List<Integer> statuses = Collections.synchronizedList(new ArrayList<>());
        for (byte[] part : List.of(whole, more)) {
            int number = part.length > more.length ? 0 : 1;
            clients.add(Thread.ofVirtual().start(() -> {
                try {
                    statuses.add(put("updates/large/parts/" + number, part, Sha256.of(part)).status());
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
        assertEquals(List.of(204, 204), statuses);
        Answer committed = post("updates/large/commit", "{\"parts\":2}");
        assertEquals(V, committed.body().get("changed").get("token_embd.weight").asLong(), committed.body().toString());
    }

    private boolean receives() throws IOException {
        try (var files = Files.list(temp.resolve("data"))) {
            return files.anyMatch(file -> file.getFileName().toString().matches("open-.*\\.tmp"));
        }
    }

    private void awaitReceiving(boolean wanted) throws IOException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (receives() != wanted) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "receiving a part: wanted=" + wanted);
            Thread.onSpinWait();
        }
    }

    private Socket ask(String line, String more) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.getOutputStream().write("%s HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer %s\r\n%s"
                .formatted(line, TOKEN, more).getBytes(StandardCharsets.UTF_8));
        return socket;
    }

    @Test
    void shouldHaveRoomWhenManyClientsHaveGoneInTheMiddleOfAPart() throws Exception {
        int more = 33 * Runtime.getRuntime().availableProcessors() * 2; // than are under way on all event loops
        assertEquals(201, open("gone", 1).status());
        for (int i = 0; i < more; i++) {
            try (Socket socket = ask("PUT /admin/weights/updates/gone/parts/0",
                    "content-length: 1000\r\nx-content-sha256: %s\r\n\r\nhalf".formatted("0".repeat(64)))) {
                awaitReceiving(true);
                socket.setSoLinger(true, 0); // gone without a good-bye
            }
            awaitReceiving(false);
        }
        for (int i = 0; i < Runtime.getRuntime().availableProcessors() * 2; i++) {
            try (Socket socket = ask("GET /admin/weights/versions", "connection: close\r\n\r\n");
                    var answer = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
                assertEquals("HTTP/1.1 200 OK", answer.readLine());
            }
        }
    }

    /** The type of the first frame, and its code or its version. */
    private String first(String fields) throws Exception {
        CompletableFuture<String> frame = new CompletableFuture<>();
        WebSocket socket = http.newWebSocketBuilder().subprotocols(Protocol.SUBPROTOCOL)
                .buildAsync(URI.create(server.streamUrl()), new WebSocket.Listener() {
                    @Override
                    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
                        frame.complete(text.toString());
                        return null;
                    }

                    @Override
                    public void onError(WebSocket from, Throwable error) {
                        frame.completeExceptionally(error);
                    }
                }).join();
        socket.sendText("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"Once\",\"max_tokens\":1%s}".formatted(fields), true).join();
        JsonNode got = JSON.readTree(frame.get(60, TimeUnit.SECONDS));
        socket.abort();
        return got.has("code") ? got.get("code").asText() : got.get("type").asText() + " " + got.get("weights_version").asLong();
    }

    @Test
    void shouldGiveStreamsTheVersionThatTheyAskFor() throws Exception {
        byte[] part = norm(1.25f);
        assertEquals(201, open("u", 1).status());
        assertEquals(204, put("updates/u/parts/0", part, Sha256.of(part)).status());
        assertEquals("version_not_yet", first(",\"min_version\":2"));
        assertEquals("accepted 1", first(",\"weights\":1"));
        assertEquals(200, post("updates/u/commit", "{}").status());
        assertEquals("accepted 2", first(",\"min_version\":2"));
        assertEquals("accepted 2", first(",\"weights\":2"));
        assertEquals("version_gone", first(",\"weights\":1"));
        assertEquals("version_gone", first(",\"weights\":9"));
    }
}

package dev.tidestream.server.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.app.RunningServer;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.ServerException;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whole servers: a gateway and two workers that find each other, beside one by itself; clients see no difference on any wire. */
class ClusterIT {
    private static final String SECRET = "a secret of sixteen";
    private static final String TOKEN = "admin-token-of-tests";
    private static final Pattern CHOICE = Pattern.compile("\"index\":\\d+");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    @SuppressWarnings("NullAway.Init") // by JUnit
    static Path temp;

    private static final List<RunningServer> SERVERS = new ArrayList<>();
    private static List<Integer> ports = List.of();

    @BeforeAll
    static void start() throws IOException {
        Files.writeString(temp.resolve("token"), TOKEN);
        ports = freePorts(4);
        start(null);
        start(node("w1", 0, NodeRole.WORKER));
        start(node("w2", 1, NodeRole.WORKER));
        start(node("g", 2, NodeRole.GATEWAY));
        RelayFixture.await(() -> status().path("reachable_workers").size() == 2);
    }

    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        List<Integer> free = sockets.stream().map(ServerSocket::getLocalPort).toList();
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return free;
    }

    private static ServerConfig config() {
        return ServerConfig.DEFAULT.withPort(0).withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(64L << 20).withMaxSequences(4))
                .withCompute(ServerConfig.Compute.DEFAULT.withThreads(1))
                .withUpdates(ServerConfig.DEFAULT.updates().withTokenFile(temp.resolve("token")));
    }

    private static ClusterConfig node(String name, int port, NodeRole role) {
        return new ClusterConfig(EnumSet.of(role), name, "127.0.0.1", ports.get(port), ports.subList(0, 3).stream().map(p -> "127.0.0.1:" + p).toList(),
                SECRET);
    }

    private static void start(@Nullable ClusterConfig cluster) {
        RunningServer server = RunningServer.listen(config().inCluster(cluster), StartListener.NONE);
        SERVERS.add(server);
        server.warmUp();
    }

    @AfterAll
    static void close() {
        SERVERS.reversed().forEach(RunningServer::close);
    }

    private static RunningServer single() {
        return SERVERS.getFirst();
    }

    private static RunningServer gateway() {
        return SERVERS.getLast();
    }

    private static JsonNode status() {
        try {
            return JSON.readTree(get(gateway(), "/admin/cluster").body());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static HttpResponse<String> get(RunningServer server, String path) {
        return send(HttpRequest.newBuilder(uri(server, path)).header("authorization", "Bearer " + TOKEN).GET());
    }

    private static URI uri(RunningServer server, String path) {
        return URI.create(server.httpUrl().orElseThrow() + path);
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What a client sees, but for names, times and who had computed the prompt before. */
    private static String comparable(String line) throws IOException {
        if (!line.startsWith("{")) {
            return line;
        }
        JsonNode node = JSON.readTree(line);
        strip(node);
        return node.toString();
    }

    private static void strip(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove(List.of("id", "created", "created_at", "completed_at", "item_id", "response_id", "tidestream", "usage", "timing"));
        }
        node.forEach(ClusterIT::strip);
    }

    /** Which choice a line is of; choices are streams of their own, which nobody waits for. */
    private static String choice(String line) {
        Matcher index = CHOICE.matcher(line);
        return index.find() ? index.group() : "";
    }

    private static String answer(RunningServer server, String path, String body) throws IOException {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(server, path)).POST(HttpRequest.BodyPublishers.ofString(body)));
        List<String> lines = new ArrayList<>();
        for (String line : response.body().lines().filter(line -> !line.isEmpty()).toList()) {
            lines.add(line.startsWith("data: ") ? "data: " + comparable(line.substring(6)) : comparable(line));
        }
        lines.sort(Comparator.comparing(ClusterIT::choice)); // those of one choice stay in order
        return response.statusCode() + "\n" + String.join("\n", lines);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /v1/completions | {"prompt":"Once upon a time","max_tokens":40,"seed":7,"temperature":0.8,"logprobs":2}
            /v1/completions | {"prompt":"Once upon a time","max_tokens":40,"seed":7,"stream":true,"n":3}
            /v1/completions | {"prompt":"The cat","max_tokens":8,"seed":1,"echo":true,"logprobs":1}
            /v1/chat/completions | {"messages":[{"role":"user","content":"Tell me of a cat"}],"max_tokens":24,"seed":9,"stream":true}
            /v1/responses | {"input":"A dog","max_output_tokens":24,"temperature":0,"store":false}
            /v1/completions | {"prompt":"x","max_tokens":-1}
            """)
    void shouldAnswerAsOneServerDoes(String path, String body) throws IOException {
        assertEquals(answer(single(), path, body), answer(gateway(), path, body));
    }

    @Test
    void shouldStreamAsOneServerDoes() throws Exception {
        List<String> texts = new ArrayList<>();
        for (RunningServer server : List.of(single(), gateway())) {
            try (TestClient client = new TestClient(server.port())) {
                client.generate("a", "Once upon a time", 60, ",\"sampling\":{\"seed\":5,\"temperature\":0.9},\"logprobs\":2");
                StringBuilder said = new StringBuilder();
                for (ServerMessage message : client.untilFinished("a")) {
                    if (message instanceof ServerMessage.Token t) {
                        said.append(t).append('\n');
                    }
                }
                texts.add(said.toString());
            }
        }
        assertFalse(texts.getFirst().isEmpty());
        assertEquals(texts.getFirst(), texts.getLast());
    }

    @Test
    void shouldShowNodesAndWhatWasRelayed() {
        JsonNode status = status();
        assertEquals(3, status.path("nodes").size(), status.toString());
        assertEquals("w1", status.path("reachable_workers").path(0).asText());
        String metrics = get(gateway(), "/metrics").body();
        assertTrue(metrics.contains("tidestream_cluster_nodes 3.0"), metrics);
        assertTrue(metrics.contains("tidestream_cluster_node_reachable{node=\"w2\"} 1.0"), metrics);
        assertEquals(401, send(HttpRequest.newBuilder(uri(gateway(), "/admin/cluster")).GET()).statusCode());
    }

    @Test
    void shouldLetNobodyInWithoutTheSecret() {
        RunningServer worker = SERVERS.get(1);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(worker, "/internal/streams")).GET();
        assertEquals(401, send(request).statusCode());
        assertEquals(401, send(request.header("authorization", "Bearer " + SECRET + "!")).statusCode());
        assertEquals(404, send(HttpRequest.newBuilder(uri(gateway(), "/internal/streams")).header("authorization", "Bearer " + SECRET).GET()).statusCode());
    }

    @Test
    void shouldAnswerNoClientsOnAWorker() throws IOException {
        String answer = answer(SERVERS.get(1), "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":1}");
        assertTrue(answer.contains("this node answers no clients"), answer);
    }

    @Test
    void shouldRefuseANodeWithAnotherPrecision() {
        ServerConfig.Compute compute = config().compute();
        ServerConfig other = config().withCompute(new ServerConfig.Compute(
                1, compute.formats(), compute.activations(), compute.headActivations(), KvType.F32, null));
        ClusterConfig late = new ClusterConfig(EnumSet.of(NodeRole.GATEWAY), "late", "127.0.0.1", ports.get(3),
                ports.stream().map(p -> "127.0.0.1:" + p).toList(), SECRET);
        ServerException refused = assertThrows(ServerException.class, () -> RunningServer.listen(other.inCluster(late), StartListener.NONE));
        String message = Objects.requireNonNull(refused.getMessage());
        assertEquals(ServerException.Reason.CLUSTER, refused.reason());
        assertTrue(message.contains("/f16") && message.contains("/f32"), message);
    }
}

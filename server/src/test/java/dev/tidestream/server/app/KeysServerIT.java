package dev.tidestream.server.app;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.app.ServerException.Reason;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.transport.AccessRules;
import dev.tidestream.server.transport.TransportConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A whole server with keys: what strangers ask for comes to no scheduler, and the file is read again by itself. */
class KeysServerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ServerConfig CONFIG = ServerConfig.DEFAULT.withPort(0)
            .withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20).withMaxSequences(2))
            .withCompute(ServerConfig.Compute.DEFAULT.withThreads(2));

    @TempDir
    Path temp;

    private static ServerConfig with(AccessRules access) {
        return CONFIG.withTransport(CONFIG.transport().withAccess(access));
    }

    private static HttpResponse<String> ask(TidestreamServer server, String path, String key) throws Exception {
        return ask(server, path, key, path.equals("/v1/completions") ? "{\"prompt\":\"Once\",\"max_tokens\":3}" : "");
    }

    /** @param body empty: none, and GET */
    private static HttpResponse<String> ask(TidestreamServer server, String path, String key, String body) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
            if (!body.isEmpty()) {
                request.POST(HttpRequest.BodyPublishers.ofString(body));
            }
            if (!key.isEmpty()) {
                request.header("Authorization", "Bearer " + key);
            }
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    @Test
    void shouldComputeNothingForStrangersAndTakeNewKeysByItself() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        String alice = KeyText.generate();
        String bob = KeyText.generate();
        file.add(new ApiKey("alice", KeyHash.of(alice), new KeyLimits(100, 0, 0)));
        AccessRules access = new AccessRules(List.of(), List.of(), file.path(), false, true, true);
        try (TidestreamServer server = TidestreamServer.start(with(access))) {
            long rows = server.running().stats().rows();
            for (String key : List.of("", "wrong", bob, alice.toUpperCase(Locale.ROOT))) {
                assertEquals(401, ask(server, "/v1/completions", key).statusCode());
            }
            assertEquals(rows, server.running().stats().rows());
            HttpResponse<String> answer = ask(server, "/v1/completions", alice);
            assertEquals(200, answer.statusCode());
            assertEquals("99", answer.headers().firstValue("x-ratelimit-remaining-requests").orElseThrow());
            assertTrue(server.running().stats().rows() > rows);
            file.add(new ApiKey("bob", KeyHash.of(bob), KeyLimits.NONE));
            long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
            while (ask(server, "/v1/models", bob).statusCode() != 200) { // until the server has looked at the file
                assertTrue(System.nanoTime() < deadlineNs, "the file was not read again");
            }
            String page = ask(server, "/metrics", "").body();
            assertTrue(page.contains("tidestream_api_key_refusals_total{reason=\"missing\"} 1.0\n"), page);
            assertTrue(page.contains("tidestream_api_key_requests_total{key=\"alice\"} 1.0\n"), page);
            assertFalse(page.contains(alice) || page.contains(bob), page);
        }
    }

    @Test
    void shouldShowResponsesOfAnEarlierProcessToTheirKeyOnly() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        String alice = KeyText.generate();
        String bob = KeyText.generate();
        file.add(new ApiKey("alice", KeyHash.of(alice), KeyLimits.NONE));
        file.add(new ApiKey("bob", KeyHash.of(bob), KeyLimits.NONE));
        Path template = Files.writeString(temp.resolve("chat.jinja"), "{% for message in messages %}{{ message.content }}{% endfor %}");
        ServerConfig config = with(AccessRules.OWN.withApiKeys(file.path())).withDataDir(temp.resolve("data"))
                .withChats(ServerConfig.Chats.DEFAULT.withTemplate(template));
        String id;
        try (TidestreamServer server = TidestreamServer.start(config)) {
            HttpResponse<String> made = ask(server, "/v1/responses", alice, "{\"input\":\"Once\",\"max_output_tokens\":3}");
            assertEquals(200, made.statusCode(), made.body());
            id = made.body().replaceAll("(?s).*\"id\":\"(resp_[^\"]+)\".*", "$1");
        }
        String next = "{\"input\":\"y\",\"max_output_tokens\":1,\"previous_response_id\":\"" + id + "\"}";
        try (TidestreamServer server = TidestreamServer.start(config)) {
            assertEquals(404, ask(server, "/v1/responses/" + id, bob).statusCode());
            assertEquals(400, ask(server, "/v1/responses", bob, next).statusCode());
            assertEquals(200, ask(server, "/v1/responses/" + id, alice).statusCode());
            assertEquals(200, ask(server, "/v1/responses", alice, next).statusCode());
        }
        // who has no key is nobody of them
        try (TidestreamServer server = TidestreamServer.start(config.withTransport(CONFIG.transport()))) {
            assertEquals(404, ask(server, "/v1/responses/" + id, "").statusCode());
        }
    }

    @Test
    void shouldListenBeyondThisMachineOnlyWithKeysOrIfToldSo() throws Exception {
        TransportConfig open = CONFIG.transport().withAddress("0.0.0.0", 0);
        ServerException e = assertThrows(ServerException.class, () -> TidestreamServer.start(CONFIG.withTransport(open)));
        assertEquals(Reason.ADDRESS, e.reason());
        assertEquals("without API keys a server listens on this machine only: host=0.0.0.0", e.getMessage());
        ServerConfig told = CONFIG.withTransport(open.withAccess(AccessRules.OWN.withUnauthenticated(true)));
        try (TidestreamServer server = TidestreamServer.start(told)) {
            assertEquals(200, ask(server, "/v1/models", "").statusCode());
        }
        Path file = Files.createFile(temp.resolve("api-keys"));
        try (TidestreamServer server = TidestreamServer.start(CONFIG.withTransport(open.withAccess(AccessRules.OWN.withApiKeys(file))))) {
            assertEquals(401, ask(server, "/v1/models", "").statusCode());
        }
    }
}

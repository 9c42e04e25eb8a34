package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyFileWatch;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyRefusal;
import dev.tidestream.server.keys.KeyRing;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.keys.KeyUse;
import dev.tidestream.server.transport.common.VertxClock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Who has a key gets in, who has none has nothing computed; and neither answers nor logs have a key or its hash. */
@ExtendWith(NettyLeakCheck.class)
class KeysIT {
    private static final String ALICE = KeyText.generate();
    private static final String BOB = KeyText.generate();
    private static final String COMPLETION = "{\"prompt\":\"x\",\"max_tokens\":2}";
    private static final String SUBPROTOCOL = "Sec-WebSocket-Protocol: tidestream.v1\r\n";

    private final AllLogged logged = new AllLogged();
    private final List<String> answers = new ArrayList<>();
    private final AtomicLong nowNs = new AtomicLong();
    private ApiKeys keys = ApiKeys.notRequired();
    private TestServer server;

    @TempDir
    Path temp;

    @BeforeEach
    void start() throws Exception {
        restart(KeyLimits.NONE);
    }

    /** @param limits of alice; bob has none */
    private void restart(KeyLimits limits) throws Exception {
        if (server != null) {
            server.close();
        }
        keys = ApiKeys.of(new KeyRing(List.of(new ApiKey("alice", KeyHash.of(ALICE), limits),
                new ApiKey("bob", KeyHash.of(BOB), KeyLimits.NONE))),
                nowNs::get);
        server = new TestServer(keys);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        logged.close();
        List<String> all = new ArrayList<>(logged.lines());
        assertFalse(all.isEmpty());
        all.addAll(answers);
        for (String line : all) {
            for (String key : List.of(ALICE, BOB)) {
                assertFalse(line.contains(key) || line.contains(base64(key)), line);
            }
        }
    }

    private static String base64(String key) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(key.getBytes(StandardCharsets.UTF_8));
    }

    private static String bearer(String key) {
        return "Authorization: Bearer " + key + "\n";
    }

    private RawHttp.Answer ask(int port, String request) throws Exception {
        try (RawHttp http = new RawHttp(port)) {
            RawHttp.Answer answer = http.send(request).anyAnswer(true);
            answers.add(answer.head() + answer.body());
            return answer;
        }
    }

    private RawHttp.Answer post(String path, String key, String body) throws Exception {
        return ask(server.port(), "POST %s HTTP/1.1\nHost: localhost\n%sContent-Length: %d\n\n%s".formatted(
                path, key.isEmpty() ? "" : bearer(key), body.length(), body));
    }

    private RawHttp.Answer to(String method, String path, String key) throws Exception {
        return ask(server.port(), "%s %s HTTP/1.1\nHost: localhost\n%s\n".formatted(method, path, bearer(key)));
    }

    private RawSocket socket(String headers) throws Exception {
        RawSocket socket = new RawSocket(server.port(), headers);
        answers.add(socket.response);
        return socket;
    }

    @Test
    void shouldRefuseWithoutTheRightKeyBeforeAnythingIsComputedOrRead() throws Exception {
        List<String> wrong = List.of(
                "",
                bearer(ALICE.substring(1)),
                bearer(ALICE + "x"),
                bearer(ALICE.toLowerCase(Locale.ROOT)),
                bearer(ALICE) + bearer(ALICE),
                bearer(""),
                "Authorization: Basic " + ALICE + "\n",
                "Authorization: " + ALICE + "\n",
                "Authorization: Bearer wrong\nSec-WebSocket-Protocol: tidestream.bearer." + base64(ALICE) + "\n",
                "Sec-WebSocket-Protocol: tidestream.bearer." + ALICE + "\n",
                "Sec-WebSocket-Protocol: tidestream.bearer.%%%\n",
                "Sec-WebSocket-Protocol: bearer." + base64(ALICE) + "\n",
                "Sec-WebSocket-Protocol: tidestream.bearer." + base64(ALICE) + ", tidestream.bearer." + base64(ALICE) + "\n");
        for (String shown : wrong) {
            for (String target : List.of("POST /v1/completions", "POST /v1/chat/completions", "POST /v1/responses", "POST /tokenize",
                    "GET /v1/models", "GET /v1/models/m/1", "GET /v1/responses/resp_1", "DELETE /v1/responses/resp_1", "GET /v1/stream")) {
                // a body is announced and never comes
                RawHttp.Answer answer = ask(server.port(), target + " HTTP/1.1\nHost: localhost\n" + shown
                        + (target.startsWith("POST") ? "Content-Length: 30\n\n" : "\n"));
                assertEquals(401, answer.status(), target + shown + answer);
                assertTrue(answer.head().contains("www-authenticate: bearer\r\n"), answer.head());
                String message = shown.isEmpty() || shown.contains(": bearer.")
                        ? "You didn't provide an API key: this server wants one, in the header Authorization: Bearer KEY."
                        : "Incorrect API key provided: this server does not know it.";
                assertEquals("{\"error\":{\"message\":\"" + message + "\",\"type\":\"invalid_request_error\",\"param\":null,"
                        + "\"code\":\"invalid_api_key\"}}\n", answer.body());
            }
            String upgrade = shown.replace("\n", "\r\n") + (shown.contains("Sec-WebSocket-Protocol") ? "" : SUBPROTOCOL);
            try (RawSocket raw = socket(upgrade)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 401"), raw.response);
            }
        }
        assertEquals(List.of(), server.engine.prompts());
        assertEquals(20, keys.refusals().get(KeyRefusal.MISSING));
        assertEquals((wrong.size() - 2) * 10L, keys.refusals().get(KeyRefusal.WRONG));
        for (String open : List.of("/health/live", "/health/ready")) {
            assertEquals(200, ask(server.port(), "GET " + open + " HTTP/1.1\nHost: localhost\n\n").status());
        }
    }

    @Test
    void shouldLetInWithTheHeaderOrTheSubprotocol() throws Exception {
        assertEquals(200, post("/v1/completions", ALICE, COMPLETION).status());
        assertEquals(200, to("GET", "/v1/models", BOB).status());
        assertEquals(200, ask(server.port(), "GET /v1/models HTTP/1.1\nHost: localhost\nauthorization: bEARER  " + ALICE + "\n\n")
                .status());
        for (String headers : List.of(
                bearer(ALICE).replace("\n", "\r\n") + SUBPROTOCOL,
                "Sec-WebSocket-Protocol: tidestream.v1, tidestream.bearer." + base64(ALICE) + "\r\n",
                "Sec-WebSocket-Protocol: tidestream.bearer." + base64(ALICE) + "\r\n" + SUBPROTOCOL)) {
            try (RawSocket raw = socket(headers)) {
                String response = raw.response.toLowerCase(Locale.ROOT);
                assertTrue(response.startsWith("http/1.1 101"), raw.response);
                assertTrue(response.contains("sec-websocket-protocol: tidestream.v1\r\n"), raw.response);
                assertFalse(response.contains("bearer"), raw.response);
            }
        }
        try (TestClient client = new TestClient(server.port(), ALICE)) {
            client.generate("a", "x", 3, "");
            assertEquals(5, client.untilFinished("a").size());
        }
        try (RawSocket raw = socket("Sec-WebSocket-Protocol: chat, tidestream.bearer." + base64(ALICE) + "\r\n")) {
            assertTrue(raw.response.startsWith("HTTP/1.1 400"), raw.response);
            String body = raw.body();
            answers.add(body);
            assertTrue(body.contains("offered=[chat]"), body);
        }
        assertEquals(List.of(new KeyUse("alice", 2, 3 + 2 + 3 + 3, 0), new KeyUse("bob", 0, 0, 0)), keys.use());
    }

    @Test
    void shouldRefuseForeignOriginsWhateverTheKey() throws Exception {
        RawHttp.Answer answer =
                ask(server.port(), "POST /v1/completions HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\n" + bearer(ALICE)
                + "Content-Length: 30\n\n");
        assertEquals(403, answer.status());
        assertFalse(answer.head().contains("access-control"), answer.head());
        try (RawSocket raw = socket("Origin: http://evil.example\r\nSec-WebSocket-Protocol: tidestream.v1, tidestream.bearer."
                + base64(ALICE)
                + "\r\n")) {
            assertTrue(raw.response.startsWith("HTTP/1.1 403"), raw.response);
        }
        assertEquals(List.of(), server.engine.prompts());
    }

    @Test
    void shouldAnswerPreflightsWithoutAKeyAndLetPagesReadRefusals() throws Exception {
        RawHttp.Answer preflight = ask(server.port(), """
                OPTIONS /v1/chat/completions HTTP/1.1
                Host: localhost
                Origin: http://localhost:3000
                Access-Control-Request-Method: POST
                Access-Control-Request-Headers: authorization, content-type, x-stainless-lang

                """);
        assertEquals(204, preflight.status());
        for (String header : List.of("access-control-allow-origin: http://localhost:3000", "access-control-max-age: 600",
                "access-control-allow-headers: authorization, content-type, x-stainless-lang")) {
            assertTrue(preflight.head().contains(header + "\r\n"), preflight.head());
        }
        assertTrue(preflight.head().contains("delete") && preflight.head().contains("post"), preflight.head());
        RawHttp.Answer refused = ask(server.port(), "GET /v1/models HTTP/1.1\nHost: localhost\nOrigin: http://localhost:3000\n\n");
        assertEquals(401, refused.status());
        assertTrue(refused.head().contains("access-control-allow-origin: http://localhost:3000\r\n"), refused.head());
        assertTrue(refused.head().contains("vary: origin\r\n"), refused.head());
        assertTrue(refused.head().contains("retry-after-ms"), refused.head()); // exposed
        assertTrue(to("GET", "/v1/models", ALICE).head().contains("vary: origin\r\n"));
    }

    @Test
    void shouldRefuseRequestsBeyondTheLimitOfTheirKey() throws Exception {
        restart(new KeyLimits(2, 0, 0));
        RawHttp.Answer first = post("/v1/completions", ALICE, COMPLETION);
        assertEquals(200, first.status());
        for (String header : List.of("limit-requests: 2", "remaining-requests: 1", "reset-requests: 30s")) {
            assertTrue(first.head().contains("x-ratelimit-" + header + "\r\n"), first.head());
        }
        assertFalse(first.head().contains("-tokens"), first.head());
        assertEquals(200, post("/tokenize", ALICE, "{\"prompt\":\"x\"}").status());
        RawHttp.Answer third = post("/v1/completions", ALICE, COMPLETION);
        assertEquals(429, third.status());
        assertEquals("{\"error\":{\"message\":\"Rate limit reached for requests per minute: limit=2, key=alice; try again in 30000 ms\","
                + "\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}\n", third.body());
        for (String header : List.of("retry-after: 30", "retry-after-ms: 30000", "x-ratelimit-remaining-requests: 0",
                "x-ratelimit-reset-requests: 1m0s")) {
            assertTrue(third.head().contains(header + "\r\n"), third.head());
        }
        assertEquals(200, to("GET", "/v1/models", ALICE).status()); // nothing is computed for it
        assertEquals(200, post("/v1/completions", BOB, COMPLETION).status());
        try (TestClient client = new TestClient(server.port(), ALICE)) {
            client.generate("a", "x", 1, "");
            assertEquals(new ServerMessage.Failed("a", ErrorCode.RATE_LIMIT_EXCEEDED,
                    "Rate limit reached for requests per minute: limit=2, key=alice; try again in 30000 ms", 30_000L), client.next());
            nowNs.addAndGet(30_000_000_000L);
            client.generate("a", "x", 1, "");
            client.untilFinished("a");
        }
        assertEquals(3, server.engine.prompts().size());
        assertEquals(2, keys.refusals().get(KeyRefusal.REQUESTS_PER_MINUTE));
    }

    @Test
    void shouldChargePromptsAndTokensAndCutNoStream() throws Exception {
        restart(new KeyLimits(0, 60, 0));
        RawHttp.Answer answer = post("/v1/completions", ALICE, "{\"prompt\":\"x\",\"max_tokens\":30,\"n\":4}");
        assertEquals(200, answer.status());
        assertTrue(answer.body().contains("\"completion_tokens\":120"), answer.body());
        assertEquals(123, keys.use().getFirst().tokens()); // the prompt once
        RawHttp.Answer next = post("/v1/completions", ALICE, COMPLETION);
        assertEquals(429, next.status());
        assertTrue(next.body().contains("Rate limit reached for tokens per minute: limit=60, key=alice; try again in 64000 ms"),
                next.body());
        assertTrue(next.head().contains("x-ratelimit-remaining-tokens: 0\r\n"), next.head());
        nowNs.addAndGet(64_000_000_000L);
        assertEquals(200, post("/v1/completions", ALICE, COMPLETION).status());
    }

    @Test
    void shouldBoundStreamsOverAllConnectionsOfAKey() throws Exception {
        restart(new KeyLimits(0, 0, 2));
        try (TestClient one = new TestClient(server.port(), ALICE); TestClient two = new TestClient(server.port(), ALICE);
                TestClient bob = new TestClient(server.port(), BOB)) {
            one.generate("a", "hold", 100, "");
            one.next(ServerMessage.Accepted.class);
            two.generate("b", "hold", 100, "");
            two.next(ServerMessage.Accepted.class);
            two.generate("c", "x", 1, "");
            assertEquals(new ServerMessage.Failed("c", ErrorCode.RATE_LIMIT_EXCEEDED,
                    "Rate limit reached for streams at once: running=2, limit=2, key=alice; try again in 1000 ms", 1000L), two.next());
            assertEquals(429, post("/v1/completions", ALICE, COMPLETION).status());
            bob.generate("d", "x", 1, "");
            bob.untilFinished("d");
            one.cancel("a");
            one.untilFinished("a");
            assertEquals(200, post("/v1/completions", ALICE, COMPLETION).status());
            two.abort(); // who goes away gives the place back
            server.engine.await(() -> server.engine.cancelled.get() == 1);
            assertEquals(0, keys.use().getFirst().streams());
            assertEquals(200, post("/v1/completions", ALICE, "{\"prompt\":\"x\",\"max_tokens\":2,\"n\":2}").status());
            RawHttp.Answer never = post("/v1/completions", ALICE, "{\"prompt\":\"x\",\"max_tokens\":2,\"n\":3}");
            assertEquals(429, never.status());
            assertTrue(never.head().contains("x-should-retry: false\r\n"), never.head());
            assertFalse(never.head().toLowerCase(Locale.ROOT).contains("retry-after"), never.head());
            assertTrue(never.body().contains("streams=3, limit=2"), never.body());
            one.generate("e", "throw", 1, "");
            assertEquals(ErrorCode.INTERNAL, one.next(ServerMessage.Failed.class).code());
            assertEquals(0, keys.use().getFirst().streams());
        }
    }

    @Test
    void shouldShowStoredResponsesToTheirKeyOnly() throws Exception {
        String made = post("/v1/responses", ALICE, "{\"input\":\"x\",\"max_output_tokens\":2}").body();
        String id = made.replaceAll("(?s).*\"id\":\"(resp_[^\"]+)\".*", "$1");
        String next = "{\"input\":\"y\",\"max_output_tokens\":2,\"previous_response_id\":\"" + id + "\"}";
        for (String path : List.of("", "/input_items", "?stream=true")) {
            RawHttp.Answer answer = to("GET", "/v1/responses/" + id + path, BOB);
            assertEquals(404, answer.status());
            assertTrue(answer.body().contains("Response with id '" + id + "' not found."), answer.body());
        }
        assertEquals(404, to("POST", "/v1/responses/" + id + "/cancel", BOB).status());
        assertEquals(404, to("DELETE", "/v1/responses/" + id, BOB).status());
        RawHttp.Answer fork = post("/v1/responses", BOB, next);
        assertEquals(400, fork.status());
        assertTrue(fork.body().contains("previous_response_not_found"), fork.body());
        assertEquals(200, to("GET", "/v1/responses/" + id, ALICE).status());
        assertEquals(200, post("/v1/responses", ALICE, next).status());
        assertEquals(200, to("DELETE", "/v1/responses/" + id, ALICE).status());
        assertEquals(404, to("GET", "/v1/responses/" + id, ALICE).status());
    }

    @Test
    void shouldTakeKeysFromAFileThatHasChanged() throws Exception {
        KeyFile file = new KeyFile(temp.resolve("api-keys"));
        file.add(new ApiKey("alice", KeyHash.of(ALICE), KeyLimits.NONE));
        server.close();
        KeyFileWatch watch = KeyFileWatch.of(file);
        server = new TestServer(watch.keys());
        assertEquals(401, post("/v1/completions", BOB, COMPLETION).status());
        file.add(new ApiKey("bob", KeyHash.of(BOB), KeyLimits.NONE));
        assertTrue(watch.look());
        assertEquals(200, post("/v1/completions", BOB, COMPLETION).status());
        try (TestClient client = new TestClient(server.port(), ALICE)) {
            client.generate("a", "x", 4, ",\"credit\":1");
            client.until(m -> m instanceof ServerMessage.Token);
            file.remove("alice");
            assertTrue(watch.look());
            client.generate("b", "x", 1, "");
            assertEquals(new ServerMessage.Failed("b", ErrorCode.INVALID_API_KEY, "the API key is valid no more: key=alice"),
                    client.next());
            client.credit("a", 10); // what runs goes on
            client.untilFinished("a");
        }
        assertEquals(401, post("/v1/completions", ALICE, COMPLETION).status());
    }

    /** A file that was changed while the server ran has made both the same: then it is neither. */
    @Test
    void shouldLetNobodyInWithAKeyThatIsTheAdminToken() throws Exception {
        ApiKeys same = ApiKeys.of(new KeyRing(List.of(new ApiKey("alice", KeyHash.of(AdminServer.TOKEN), KeyLimits.NONE))));
        AdminAccess access = new AdminAccess(AdminToken.of(AdminServer.TOKEN), TokenLimit.DEFAULT, AdminServer.AUDIT, why -> { });
        try (AdminServer both = new AdminServer(AdminServer.CONFIG, access, context -> new VertxClock(context.owner()), same)) {
            String token = bearer(AdminServer.TOKEN).replace("\n", "\r\n");
            try (RawSocket raw = new RawSocket(both.port(), "GET " + AdminProtocol.PATH,
                    token + "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n")) {
                assertTrue(raw.response.startsWith("HTTP/1.1 403"), raw.response);
            }
            try (RawSocket raw = new RawSocket(both.port(), token + SUBPROTOCOL)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 401"), raw.response);
            }
        }
    }

    @Test
    void shouldKeepKeysAndTheAdminTokenApart() throws Exception {
        List<TokenRefusal> refused = new ArrayList<>();
        AdminAccess access = new AdminAccess(AdminToken.of(AdminServer.TOKEN), TokenLimit.DEFAULT, AdminServer.AUDIT, refused::add);
        try (AdminServer both = new AdminServer(AdminServer.CONFIG, access, context -> new VertxClock(context.owner()), keys)) {
            for (int i = 0; i < 2 * TokenLimit.DEFAULT.burst(); i++) { // no guess of a token, so not limited as one
                try (RawSocket raw = new RawSocket(both.port(), "GET " + AdminProtocol.PATH,
                        bearer(ALICE).replace("\n", "\r\n") + "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n")) {
                    assertTrue(raw.response.startsWith("HTTP/1.1 403"), raw.response);
                    assertEquals("{\"error\":{\"message\":\"an API key is no admin token: it makes no administrator\","
                            + "\"type\":\"permission_error\",\"param\":null,\"code\":\"permission_error\"}}\n", raw.body());
                }
            }
            assertTrue(refused.stream().allMatch(why -> why == TokenRefusal.API_KEY) && !refused.isEmpty(), refused.toString());
            assertEquals(List.of(), both.desk.handled);
            try (AdminClient admin = both.client()) {
                admin.barrier("a");
            }
            try (RawSocket raw = new RawSocket(both.port(), bearer(AdminServer.TOKEN).replace("\n", "\r\n") + SUBPROTOCOL)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 401"), raw.response);
            }
        }
    }
}

package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.ApiKeys;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyRing;
import dev.tidestream.server.keys.KeyText;
import dev.tidestream.server.keys.KeyUse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Responses over WebSockets where the server has API keys. */
@ExtendWith(NettyLeakCheck.class)
class KeyedLanesIT {
    private static final String ALICE = KeyText.generate();
    private static final String BOB = KeyText.generate();

    private ApiKeys keys = ApiKeys.notRequired();
    @SuppressWarnings("NullAway.Init") // before each test
    private TestServer server;

    /** @param limits of alice; bob has none */
    private void start(KeyLimits limits) throws Exception {
        keys = ApiKeys.of(ring(limits), () -> 0);
        server = new TestServer(keys);
    }

    private static KeyRing ring(KeyLimits limits) {
        return new KeyRing(List.of(new ApiKey("alice", KeyHash.of(ALICE), limits), new ApiKey("bob", KeyHash.of(BOB), KeyLimits.NONE)));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static void assertError(JsonNode message, int status, String lane, String code, String text) {
        assertEquals("error", LaneClient.type(message), message.toString());
        assertEquals(status, message.get("status").intValue(), message.toString());
        assertEquals(lane, LaneClient.lane(message), message.toString());
        assertEquals(code, message.get("code").asText());
        assertTrue(message.get("message").asText().contains(text), message.toString());
    }

    private static String after(String id) {
        return ",\"previous_response_id\":\"" + id + "\"";
    }

    @Test
    void shouldWantAKeyForTheUpgrade() throws Exception {
        start(KeyLimits.NONE);
        String base64 = Base64.getUrlEncoder().withoutPadding().encodeToString(ALICE.getBytes(StandardCharsets.UTF_8));
        for (String shown : List.of("", "Authorization: Bearer " + ALICE + "x\r\n", "Sec-WebSocket-Protocol: tidestream.responses\r\n",
                "Sec-WebSocket-Protocol: tidestream.responses, tidestream.bearer." + ALICE + "\r\n")) {
            try (RawSocket raw = new RawSocket(server.port(), "GET /v1/responses", shown)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 401"), raw.response);
                assertTrue(raw.body().contains("invalid_api_key"));
            }
        }
        try (RawSocket raw = new RawSocket(server.port(), "GET /v1/responses",
                "Sec-WebSocket-Protocol: tidestream.responses, tidestream.bearer." + base64 + "\r\n")) {
            String response = raw.response.toLowerCase(Locale.ROOT);
            assertTrue(response.startsWith("http/1.1 101"), response);
            assertTrue(response.contains("sec-websocket-protocol: tidestream.responses\r\n"), response);
            assertFalse(response.contains("bearer"), response);
        }
        try (LaneClient client = new LaneClient(server.port(), ALICE)) {
            client.create("a", "x", 2, "").untilEnd("a");
        }
        assertEquals(List.of(new KeyUse("alice", 1, 3 + 2, 0), new KeyUse("bob", 0, 0, 0)), keys.use());
    }

    @Test
    void shouldRefuseRequestsBeyondTheLimitsOfTheKeyAndLoseNothingElse() throws Exception {
        start(new KeyLimits(2, 0, 0));
        try (LaneClient client = new LaneClient(server.port(), ALICE)) {
            client.create("slow", "hold", 1, "").until(message -> LaneClient.type(message).equals("response.in_progress"));
            client.create("a", "x", 1, "").untilEnd("a");
            client.create("a", "y", 1, "");
            assertError(client.next(), 429, "a", "rate_limit_exceeded",
                    "Rate limit reached for requests per minute: limit=2, key=alice; try again in 30000 ms");
            client.send("{\"type\":\"response.cancel\",\"stream_id\":\"slow\"}").untilEnd("slow");
            keys.replace(new KeyRing(List.of()));
            client.create("a", "y", 1, "");
            assertError(client.next(), 401, "a", "invalid_api_key", "the API key is valid no more: key=alice");
        }
        assertEquals(List.of("hold", "x"), server.engine.prompts());
    }

    @Test
    void shouldCountTokensAndCutNoResponse() throws Exception {
        start(new KeyLimits(0, 10, 0));
        try (LaneClient client = new LaneClient(server.port(), ALICE)) {
            JsonNode end = client.create("a", "x", 20, "").untilEnd("a").getLast();
            assertEquals(20, end.get("response").get("usage").get("output_tokens").intValue());
            assertEquals(3 + 20, keys.use().getFirst().tokens());
            client.create("b", "y", 1, "");
            assertError(client.next(), 429, "b", "rate_limit_exceeded", "tokens per minute: limit=10");
        }
    }

    @Test
    void shouldBoundStreamsOfTheKeyOverAllConnections() throws Exception {
        start(new KeyLimits(0, 0, 1));
        try (LaneClient client = new LaneClient(server.port(), ALICE); LaneClient other = new LaneClient(server.port(), ALICE);
                LaneClient bob = new LaneClient(server.port(), BOB)) {
            String first = LaneClient.id(client.create("a", "x", 1, "").untilEnd("a").getLast());
            other.create("slow", "hold", 1, "").until(message -> LaneClient.type(message).equals("response.created"));
            client.create("a", "y", 1, after(first));
            assertError(client.next(), 429, "a", "rate_limit_exceeded", "streams at once: running=1, limit=1, key=alice");
            bob.create("a", "z", 1, "").untilEnd("a");
            other.send("{\"type\":\"response.cancel\",\"stream_id\":\"slow\"}").untilEnd("slow");
            client.create("a", "y", 1, after(first)).untilEnd("a"); // what it goes on from is still there
            client.create("b", "throw", 1, "").untilEnd("b");
            client.create("c", "hold", 1, "").until(message -> LaneClient.type(message).equals("response.created"));
            assertEquals(1, keys.use().getFirst().streams());
        }
        server.engine.await(() -> server.engine.cancelled.get() == 2); // who goes away gives the place back
        assertEquals(0, keys.use().getFirst().streams());
    }

    @Test
    void shouldShowStoredResponsesToTheirKeyOnly() throws Exception {
        start(KeyLimits.NONE);
        try (LaneClient client = new LaneClient(server.port(), ALICE); LaneClient bob = new LaneClient(server.port(), BOB);
                LaneClient again = new LaneClient(server.port(), ALICE)) {
            String id = LaneClient.id(client.create("a", "x", 1, ",\"store\":true").untilEnd("a").getLast());
            bob.create("a", "y", 1, after(id));
            assertError(bob.next(), 400, "a", "previous_response_not_found", "Previous response with id '" + id + "' not found.");
            again.create("a", "y", 1, after(id)).untilEnd("a");
            assertEquals(404, server.http("GET", "/v1/responses/" + id, "Authorization", "Bearer " + BOB).statusCode());
            assertEquals(200, server.http("GET", "/v1/responses/" + id, "Authorization", "Bearer " + ALICE).statusCode());
        }
    }
}

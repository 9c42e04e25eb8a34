package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.openai.lanes.LaneLimits;
import dev.tidestream.server.transport.http.AnswerLimits;
import dev.tidestream.server.transport.http.HttpLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What connections with lanes may hold, and how they end. */
@ExtendWith(NettyLeakCheck.class)
class LaneLimitsIT {
    private static final LaneLimits LIMITS = new LaneLimits(3, 2, 2, 64 << 10, 64 << 10, Duration.ofMinutes(60));

    /** Nobody is given up for its silence before a connection is too old. */
    private static final TransportConfig CONFIG = new TransportConfig("127.0.0.1", 0, 4096, 16384, 100_000_000, 16, 16, 64 << 10, 32, 16,
            Duration.ofMinutes(90), Duration.ofMinutes(100), Duration.ofSeconds(60));

    private final ManualClock clock = new ManualClock();

    private TestServer server(LaneLimits limits) throws Exception {
        return new TestServer(CONFIG, clock, limits);
    }

    private static String code(JsonNode message) {
        assertEquals("error", LaneClient.type(message), message.toString());
        return message.get("error").get("code").textValue();
    }

    private static void cancel(LaneClient client, String lane) throws InterruptedException {
        client.send("{\"type\":\"response.cancel\",\"stream_id\":\"" + lane + "\"}").untilEnd(lane);
    }

    @Test
    void shouldMakeSoManyAtOnceAndLetOthersWait() throws Exception {
        try (TestServer server = server(LIMITS); LaneClient client = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "").create("b", "hold", 1, "").create("c", "c", 1, "").create("a", "d", 1, "");
            server.engine.await(() -> server.engine.running() == 2);
            client.create("b", "e", 1, "");
            List<JsonNode> messages = client.untilEnd("b");
            assertEquals("overloaded", code(messages.getLast()));
            assertEquals(503, messages.getLast().get("status").intValue());
            cancel(client, "b");
            assertEquals("response.incomplete", LaneClient.type(client.untilEnd("c").getLast()));
            assertEquals(List.of("hold", "hold", "c"), server.engine.prompts(), "the lane that waited, not the one behind another");
            cancel(client, "a");
            assertEquals("response.incomplete", LaneClient.type(client.untilEnd("a").getLast()));
        }
    }

    @Test
    void shouldTakeSoManyNames() throws Exception {
        try (TestServer server = server(LIMITS); LaneClient client = new LaneClient(server.port())) {
            for (String lane : List.of("a", "b", "c")) {
                client.create(lane, "x", 1, "").untilEnd(lane);
            }
            client.create("d", "x", 1, "");
            JsonNode error = client.next();
            assertEquals("websocket_stream_limit_reached", code(error));
            assertEquals("d", LaneClient.lane(error));
            client.create(null, "x", 1, "").untilEnd(null);
            client.create("c", "x", 1, "").untilEnd("c");
        }
    }

    @Test
    void shouldForgetTheOldestWhenThereIsNoRoom() throws Exception {
        LaneLimits limits = new LaneLimits(32, 2, 2, 64 << 10, 20 << 10, Duration.ofMinutes(60));
        try (TestServer server = server(limits); LaneClient client = new LaneClient(server.port())) {
            String first = LaneClient.id(client.create("0", "x", 1, "").untilEnd("0").getLast());
            String last = first;
            for (int i = 1; i < 8; i++) {
                last = LaneClient.id(client.create("" + i, "x", 1, "").untilEnd("" + i).getLast());
            }
            client.create("0", "y", 1, ",\"previous_response_id\":\"" + first + "\"");
            assertEquals("previous_response_not_found", code(client.next()));
            client.create("7", "y", 1, ",\"previous_response_id\":\"" + last + "\"");
            assertFalse(LaneClient.type(client.untilEnd("7").getLast()).equals("error"));
        }
    }

    @Test
    void shouldBoundWhatWaitsInBytes() throws Exception {
        LaneLimits limits = new LaneLimits(3, 1, 64, 8 << 10, 8 << 10, Duration.ofMinutes(60));
        try (TestServer server = server(limits); LaneClient client = new LaneClient(server.port());
                LaneClient other = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "").create("b", "x".repeat(3000), 1, "").create("c", "x".repeat(3000), 1, "");
            assertEquals("overloaded", code(client.untilEnd("c").getLast()));
            other.create("a", "x".repeat(3000), 1, "");
            assertEquals("overloaded", code(other.next()), "all connections together");
        }
    }

    /** Tokens of 1,000 characters, which take some 2,100 bytes each. */
    @Test
    void shouldBoundWhatGrowingResponsesHoldTogether() throws Exception {
        HttpLimits of = HttpLimits.of(16);
        AnswerLimits answers = new AnswerLimits(Duration.ofMinutes(5), Duration.ofSeconds(15), 10_000, 10_000, 1);
        TransportConfig config = CONFIG.withLimits(new HttpLimits(of.maxPending(), of.maxPendingPerAddress(), of.maxIdle(),
                of.requestTimeout(), of.idleTimeout(), 1 << 20, answers), CONFIG.sockets());
        try (TestServer server = new TestServer(config, clock, LIMITS); LaneClient client = new LaneClient(server.port());
                LaneClient other = new LaneClient(server.port())) {
            client.create("a", "long", 100, ",\"tidestream\":{\"credit\":4}");
            String first = LaneClient.id(client.next());
            client.until(message -> message.path("sequence_number").asInt() == 7);
            other.create("b", "x", 1, "");
            JsonNode refused = other.next();
            assertEquals("overloaded", code(refused));
            assertEquals(503, refused.get("status").intValue());
            client.send("{\"type\":\"tidestream.credit\",\"stream_id\":\"a\",\"n\":1}");
            JsonNode failed = client.untilEnd("a").getLast();
            assertEquals("response.failed", LaneClient.type(failed));
            assertEquals(first, LaneClient.id(failed));
            assertTrue(failed.get("response").get("error").get("message").textValue().contains("limit of all=10000"), failed.toString());
            other.create("b", "x", 1, "");
            assertEquals("response.incomplete", LaneClient.type(other.untilEnd("b").getLast()));
            client.create("a", "long", 100, ",\"tidestream\":{\"credit\":4}");
            client.until(message -> message.path("sequence_number").asInt() == 7);
            client.abort();
            server.engine.await(() -> server.engine.running() == 0);
            other.create("b", "y", 1, "");
            assertEquals("response.incomplete", LaneClient.type(other.untilEnd("b").getLast()), "with its client went what it held");
        }
    }

    @Test
    void shouldSendAwayWhoDoesNotWait() throws Exception {
        LaneLimits limits = new LaneLimits(3, 1, 1, 1 << 20, 1 << 20, Duration.ofMinutes(60));
        try (TestServer server = server(limits); LaneClient client = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "").create("b", "x", 1, "");
            server.engine.await(() -> server.engine.running() == 1);
            for (int i = 0; i < 64; i++) {
                client.create("c", "x", 1, "");
            }
            assertEquals(1013, client.closeCode());
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    @Test
    void shouldEndAConnectionThatIsTooOld() throws Exception {
        try (TestServer server = server(LIMITS); LaneClient client = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "").create("a", "x", 1, "");
            client.until(message -> LaneClient.type(message).equals("response.content_part.added"));
            clock.advance(Duration.ofMinutes(61));
            JsonNode failed = client.untilEnd("a").getLast();
            assertEquals("response.failed", LaneClient.type(failed));
            assertEquals("websocket_connection_limit_reached", code(client.untilEnd("a").getLast()));
            JsonNode ofAll = client.next();
            assertEquals("websocket_connection_limit_reached", code(ofAll));
            assertEquals("null", LaneClient.lane(ofAll));
            assertTrue(ofAll.get("message").textValue().contains("(60 minutes)"), ofAll.toString());
            assertEquals(1001, client.closeCode());
            assertEquals(0, server.engine.running());
        }
    }

    @Test
    void shouldDrainBeforeItCloses() throws Exception {
        try (TestServer server = server(LIMITS); LaneClient client = new LaneClient(server.port());
                LaneClient idle = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "").create("b", "hold", 1, "").create("c", "x", 1, "").create("a", "x", 1, "");
            server.engine.await(() -> server.engine.running() == 2);
            idle.create(null, "x", 1, "").untilEnd(null);
            Future<Void> stopped = server.stop();
            assertEquals("shutting_down", code(client.untilEnd("c").getLast()));
            client.create("b", "x", 1, "");
            assertEquals("shutting_down", code(client.untilEnd("b").getLast()));
            cancel(client, "a");
            assertEquals("shutting_down", code(client.untilEnd("a").getLast()), "behind what ran");
            assertEquals(1012, idle.closeCode());
            cancel(client, "b");
            assertEquals(1012, client.closeCode());
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBreakOffWhatDoesNotEnd() throws Exception {
        try (TestServer server = server(LIMITS); LaneClient client = new LaneClient(server.port());
                LaneClient idle = new LaneClient(server.port())) {
            client.create("a", "hold", 1, "");
            client.until(message -> LaneClient.type(message).equals("response.content_part.added"));
            idle.create(null, "x", 1, "").untilEnd(null);
            Future<Void> stopped = server.stop();
            assertEquals(1012, idle.closeCode(), "it is stopping");
            clock.advance(CONFIG.shutdownGrace());
            JsonNode failed = client.untilEnd("a").getLast();
            assertEquals("failed", failed.get("response").get("status").textValue());
            assertEquals(1012, client.closeCode());
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(0, server.engine.running());
        }
    }
}

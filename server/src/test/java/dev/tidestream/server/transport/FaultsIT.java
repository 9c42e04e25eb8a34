package dev.tidestream.server.transport;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FrameMutator;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

@ExtendWith(NettyLeakCheck.class)
class FaultsIT {

    @Test
    void shouldRefuseBadMessagesAndGoOn() throws Exception {
        try (TestServer server = new TestServer();
                TestClient client = server.client()) {
            client.generate("run", "x", 1000, ",\"credit\":1");
            client.until(ServerMessage.Token.class::isInstance);
            check(client.send("{\"type\":\"generate\",\"id\":\"a\","), "a", ErrorCode.MALFORMED_JSON, "not one JSON object");
            check(client.send(""), null, ErrorCode.MALFORMED_JSON, "empty frame");
            check(client.send("{\"type\":\"dance\",\"id\":\"a\"}"), "a", ErrorCode.UNKNOWN_TYPE, "dance");
            check(client.generate("a", "x", 0, ""), "a", ErrorCode.INVALID_VALUE, "max_tokens must be in 1..100000000: 0");
            check(client.generate("run", "x", 1, ""), "run", ErrorCode.DUPLICATE_ID, "a running stream has this id: run");
            check(client.credit("ghost", 1), "ghost", ErrorCode.UNKNOWN_ID, "credit: no running stream has the id: ghost");
            check(client.cancel("ghost"), "ghost", ErrorCode.UNKNOWN_ID, "cancel: no running stream has the id: ghost");
            check(client.sendBinary(new byte[] {1, 2}), null, ErrorCode.BINARY_FRAME, "binary");
            client.credit("run", 999);
            assertEquals(1000, client.untilFinished("run").size());
        }
    }

    @Test
    void shouldTakeFragmentsAndThrowAwayOversizedMessages() throws Exception {
        try (TestServer server = new TestServer();
                TestClient client = server.client()) {
            client.generate("run", "hold", 9, "");
            client.next(ServerMessage.Accepted.class);
            client.sendPart("{\"type\":\"generate\",\"id\":\"é", false).sendPart("", false).sendPart("🌊\",\"prompt\":", false);
            client.sendPart("\"x\",\"max_tokens\":1}", true);
            assertEquals(3, client.untilFinished("é🌊").size());
            String text = "x".repeat(5000);
            check(client.generate("big", text, 1, ""), "big", ErrorCode.FRAME_TOO_LARGE, "limit=4096");
            client.sendPart("{\"type\":\"generate\",\"id\":\"parts\",\"prompt\":\"", false);
            for (int i = 0; i < 100; i++) {
                client.sendPart(text, false);
            }
            check(client.sendPart("\"}", true), "parts", ErrorCode.FRAME_TOO_LARGE, "limit=4096");
            assertEquals(3, client.barrier("b").size());
            client.cancel("run").untilFinished("run");
        }
    }

    @Test
    void shouldCloseOnAFrameBeyondTheHardLimit() throws Exception {
        try (TestServer server = new TestServer();
                RawSocket raw = new RawSocket(server.port())) {
            raw.frame(0x81, new byte[20_000]);
            assertEquals(1009, raw.closeCode());
        }
    }

    @Test
    void shouldCloseOnTextThatIsNotUtf8() throws Exception {
        try (TestServer server = new TestServer();
                RawSocket raw = new RawSocket(server.port())) {
            raw.frame(0x81, new byte[] {'{', (byte) 0xC3, (byte) 0x28});
            assertEquals(1007, raw.closeCode());
        }
    }

    @Test
    void shouldCloseOnAProtocolViolation() throws Exception {
        try (TestServer server = new TestServer();
                RawSocket raw = new RawSocket(server.port())) {
            raw.frame(0x80, new byte[] {'x'}); // a continuation of nothing
            assertEquals(1002, raw.closeCode());
        }
    }

    @Test
    void shouldBoundStreamsAndConnections() throws Exception {
        TransportConfig small = new TransportConfig("127.0.0.1", 0, 4096, 16384, 100, 1, 2, 64 << 10, 32, 16,
                Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(10));
        try (TestServer server = new TestServer(small);
                TestClient client = server.client()) {
            client.generate("a", "hold", 1, "").generate("b", "hold", 1, "");
            client.next(ServerMessage.Accepted.class);
            client.next(ServerMessage.Accepted.class);
            check(client.generate("c", "x", 1, ""), "c", ErrorCode.TOO_MANY_STREAMS, "running=2, limit=2");
            client.cancel("a").untilFinished("a");
            assertEquals(3, client.barrier("c").size());
            HttpResponse<String> refused = server.http("GET", "/health/ready");
            assertEquals(200, refused.statusCode());
            try (RawSocket second = new RawSocket(server.port())) {
                assertTrue(second.response.startsWith("HTTP/1.1 503"), second.response);
            }
        }
    }

    /** A client that talks and never reads is not read from any more; its answers do not pile up. */
    @Test
    void shouldStopReadingFromAClientThatNeverReads() throws Exception {
        try (TestServer server = new TestServer();
                RawSocket raw = new RawSocket(server.port());
                TestClient other = server.client()) {
            raw.text("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"long\",\"max_tokens\":100000000}");
            byte[] bad = "{".repeat(4000).getBytes(StandardCharsets.UTF_8);
            Thread flood = Thread.ofPlatform().daemon().start(() -> raw.flood(0x81, bad));
            long sent = 0;
            for (int quietRounds = 0; quietRounds < 20; ) {
                other.barrier("x");
                long now = raw.sentFrames.get();
                assertTrue(now < 20_000, "the server reads on: frames=" + now);
                quietRounds = now > 64 && now == sent ? quietRounds + 1 : 0;
                sent = now;
            }
            assertTrue(flood.isAlive(), "the flood was cut: frames=" + raw.sentFrames);
            raw.abort();
            flood.join();
        }
    }

    @Test
    void shouldPingAndCloseTheDead() throws Exception {
        ManualClock clock = new ManualClock();
        try (TestServer server = new TestServer(TestServer.CONFIG, clock);
                RawSocket alive = new RawSocket(server.port());
                RawSocket dead = new RawSocket(server.port());
                TestClient other = server.client()) {
            alive.text("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"hold\",\"max_tokens\":9}");
            dead.text("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"hold\",\"max_tokens\":9}");
            assertTrue(alive.nextText().contains("\"accepted\""));
            assertTrue(dead.nextText().contains("\"accepted\""));
            clock.advance(Duration.ofSeconds(20).minusNanos(1));
            other.barrier("is not pinged");
            assertEquals(List.of(), dead.unread(), "a ping before its time");
            clock.advance(Duration.ofNanos(1)); // 20 s of silence
            dead.nextPing();
            alive.nextPing();
            alive.pong(); // all that is heard of it
            other.barrier("the pong");
            other.barrier("was read");
            clock.advance(Duration.ofSeconds(20)); // 40 s
            dead.nextPing();
            clock.advance(Duration.ofSeconds(20).minusNanos(1));
            other.barrier("is not closed");
            assertEquals(List.of(), dead.unread(), "closed before its time");
            clock.advance(Duration.ofNanos(1)); // 60 s
            assertEquals(1001, dead.closeCode());
            server.engine.await(() -> server.engine.cancelled.get() == 1);
            alive.text("{\"type\":\"cancel\",\"id\":\"a\"}");
            assertTrue(alive.nextText().contains("\"finished\""));
        }
    }

    @Test
    void shouldLetStreamsEndBeforeItStops() throws Exception {
        try (TestServer server = new TestServer();
                TestClient client = server.client();
                TestClient idle = server.client()) {
            client.generate("a", "x", 10, ",\"credit\":1");
            client.until(ServerMessage.Token.class::isInstance);
            Future<Void> stopped = server.stop();
            assertEquals(1012, idle.closeCode());
            check(client.generate("b", "x", 1, ""), "b", ErrorCode.SHUTTING_DOWN, "shutting down");
            client.credit("a", 9);
            assertEquals(10, client.untilFinished("a").size());
            assertEquals(1012, client.closeCode());
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBreakStreamsOffAfterTheGracePeriod() throws Exception {
        TransportConfig hasty = new TransportConfig("127.0.0.1", 0, 4096, 16384, 100, 4, 2, 64 << 10, 32, 16,
                Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ZERO);
        try (TestServer server = new TestServer(hasty);
                TestClient client = server.client()) {
            client.generate("a", "hold", 10, "");
            client.next(ServerMessage.Accepted.class);
            Future<Void> stopped = server.stop();
            check(client, "a", ErrorCode.SHUTTING_DOWN, "shutting down");
            assertEquals(1012, client.closeCode());
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            server.engine.await(() -> server.engine.cancelled.get() == 1); // on its own thread
        }
    }

    /** Broken frames on one socket; streams of the same socket and of another run through undisturbed. */
    @Test
    void shouldSurviveTenThousandBrokenFrames() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("FaultsIT: -Dtidestream.seed=" + seed);
        FrameMutator frames = new FrameMutator(new SplittableRandom(seed));
        try (TestServer server = new TestServer();
                TestClient fuzzer = server.client();
                TestClient other = server.client()) {
            fuzzer.generate("mine", "x", 2000, ",\"credit\":1000");
            other.generate("theirs", "x", 2000, ",\"credit\":1000");
            for (int i = 0; i < 10_000; i++) {
                String frame = frames.next();
                fuzzer.send(StandardCharsets.UTF_8.newEncoder().canEncode(frame) ? frame : "{\"type\":" + i);
            }
            fuzzer.credit("mine", 1000);
            other.credit("theirs", 1000);
            List<ServerMessage> all = fuzzer.untilFinished("mine");
            long refused = all.stream().filter(ServerMessage.Failed.class::isInstance).count();
            assertTrue(refused > 5000, "seed=" + seed + ", refused=" + refused);
            assertTrue(all.stream().noneMatch(m -> m instanceof ServerMessage.Failed f && f.code() == ErrorCode.INTERNAL));
            assertEquals(2000, all.stream().filter(m -> m instanceof ServerMessage.Token t && t.id().equals("mine")).count());
            assertEquals(2002, other.untilFinished("theirs").size());
        }
    }

    @Test
    void shouldAnswerPlainHttp() throws Exception {
        try (TestServer server = new TestServer()) {
            assertEquals("{\"status\":\"live\"}\n", server.http("GET", "/health/live").body());
            assertEquals(200, server.http("GET", "/health/ready").statusCode());
            Map<Readiness, String> reasons = Map.of(
                    Readiness.STARTING, "starting", Readiness.STOPPING, "stopping", Readiness.FAILED, "failed");
            for (Map.Entry<Readiness, String> reason : reasons.entrySet()) {
                server.readiness.set(reason.getKey());
                notReady(server, reason.getValue());
            }
            HttpResponse<String> models = server.http("GET", "/v1/models");
            assertEquals("application/json", models.headers().firstValue("content-type").orElseThrow());
            assertEquals("{\"object\":\"list\",\"data\":[{\"id\":\"m/1\",\"object\":\"model\",\"created\":1795000000,"
                    + "\"owned_by\":\"tidestream\",\"max_model_len\":512,\"context_length\":512,\"vocabulary_size\":256,"
                    + "\"parameters\":5800000,\"weights_version\":7}]}\n", models.body());
            HttpResponse<String> lost = server.http("GET", "/nowhere?x=1");
            assertEquals(404, lost.statusCode());
            assertEquals("{\"error\":{\"message\":\"no such path: /nowhere\",\"type\":\"invalid_request_error\",\"param\":null,"
                    + "\"code\":\"not_found\"}}\n", lost.body());
            HttpResponse<String> post = server.http("POST", "/v1/models");
            assertEquals(405, post.statusCode());
            assertEquals("GET, HEAD", post.headers().firstValue("allow").orElseThrow());
            assertEquals(426, server.http("GET", Protocol.PATH).statusCode());
        }
    }

    private static void notReady(TestServer server, String reason) throws Exception {
        HttpResponse<String> refused = server.http("GET", "/health/ready");
        assertEquals(503, refused.statusCode());
        assertEquals("{\"status\":\"" + reason + "\"}\n", refused.body());
    }

    @Test
    void shouldNotBeReadyWhileStreamsMayFinish() throws Exception {
        try (TestServer server = new TestServer();
                TestClient client = server.client()) {
            client.generate("a", "hold", 1, "");
            client.next(ServerMessage.Accepted.class);
            Future<Void> stopped = server.stop(); // begins on the event loop, some time
            for (int i = 0; i < 1000 && server.http("GET", "/health/ready").statusCode() == 200; i++) {
                client.barrier("until" + i);
            }
            notReady(server, "stopping");
            client.cancel("a").untilFinished("a");
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldRefuseAnotherSubprotocol() throws Exception {
        try (TestServer server = new TestServer()) {
            for (String header : List.of("", "Sec-WebSocket-Protocol: chat, tidestream.v2\r\n")) {
                try (RawSocket raw = new RawSocket(server.port(), header)) {
                    assertTrue(raw.response.startsWith("HTTP/1.1 400"), raw.response);
                }
            }
            try (RawSocket raw = new RawSocket(server.port(), "Sec-WebSocket-Protocol: chat, tidestream.v1\r\n")) {
                assertTrue(raw.response.startsWith("HTTP/1.1 101"), raw.response);
                assertTrue(raw.response.toLowerCase(Locale.ROOT).contains("sec-websocket-protocol: tidestream.v1"));
            }
        }
    }

    private static void check(TestClient client, @Nullable String id, ErrorCode code, String message) throws InterruptedException {
        ServerMessage.Failed failed = client.next(ServerMessage.Failed.class);
        assertEquals(id, failed.id(), failed.toString());
        assertEquals(code, failed.code(), failed.toString());
        assertTrue(failed.message().contains(message), failed.toString());
    }
}

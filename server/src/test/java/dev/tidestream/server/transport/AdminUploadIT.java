package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Updates whose payload comes in binary frames, over real sockets. */
@ExtendWith(NettyLeakCheck.class)
class AdminUploadIT {
    private static final int CHUNK_BYTES = (256 << 10) + (64 << 10); // enough, and one read of the socket
    private static final int BINARY = 0x82;
    private static final int BINARY_BEGINS = 0x02;
    private static final int CONTINUES = 0x00;
    private static final int ENDS = 0x80;

    private final byte[] payload = new byte[40_000];
    private AdminServer server;

    @BeforeEach
    void start() throws Exception {
        new SplittableRandom(7).nextBytes(payload);
        server = new AdminServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        assertEquals(server.desk.opened.get(), server.desk.closed.get(), "uploads left open");
    }

    private void applied(AdminClient client, String ref, long version) throws InterruptedException {
        List<AdminReply> replies = client.untilAnswer(ref);
        assertEquals(new AdminReply.Progress(ref, "receiving", 0, payload.length), replies.getFirst());
        assertEquals(new AdminReply.Progress(ref, "building", 1, 2), replies.get(replies.size() - 2));
        assertTrue(replies.getLast() instanceof AdminReply.Ack a && a.weightsVersion() == version, replies.toString());
    }

    @Test
    void shouldTakeAPayloadInOneFrameOrInMany() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(AdminClient.update("one", "u1", payload)).sendBinary(payload);
            applied(client, "one", 2);
            client.send(AdminClient.update("many", "u2", payload));
            for (int i = 0; i < payload.length; i += 100) {
                client.sendBinary(payload, i, i + 100, true);
            }
            applied(client, "many", 3);
            client.send(AdminClient.update("parts", "u3", payload)).sendBinary(new byte[0]);
            for (int i = 0; i < payload.length; i += 1000) {
                client.sendBinary(payload, i, i + 1000, i % 3000 == 0);
            }
            applied(client, "parts", 4);
            client.send(AdminClient.update("wait", "u4", payload));
            client.progress("wait", "receiving", 0, payload.length);
            client.sendBinary(payload, 0, 1, true).barrier("reads go on");
            client.sendBinary(payload, 1, payload.length, true);
            client.progress("wait", "building", 1, 2);
            assertEquals(5, client.ack("wait").weightsVersion());
            client.send(AdminClient.update("one", "unclosable", payload)).sendBinary(payload);
            applied(client, "one", 6); // a fault after the commit does not unsay it
            assertEquals(5L * payload.length, server.desk.acceptedBytes.get());
        }
    }

    @Test
    void shouldReportWhatWasReceivedAsTimePasses() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(AdminClient.update("a", "u", payload));
            client.progress("a", "receiving", 0, payload.length);
            client.sendBinary(payload, 0, 100, true); // too small to come in two parts, each of which is looked at
            // it has looked at the clock a second time: what it says of the first chunk, or rather does not, is said
            server.desk.await(() -> server.looksAtClock.get() == 2);
            client.barrier("too early for another");
            server.nowNs.addAndGet(Duration.ofMillis(500).toNanos());
            client.sendBinary(payload, 100, 200, true).progress("a", "receiving", 200, payload.length);
            client.sendBinary(payload, 200, payload.length, true).progress("a", "building", 1, 2);
            client.ack("a");
        }
    }

    /** One socket frame of a payload may be cut by a proxy anywhere, also into fragments without a byte. */
    @Test
    void shouldTakeRawFragments() throws Exception {
        try (RawSocket raw = server.raw()) {
            byte[] small = {1, 2, 3, 4};
            raw.text(AdminClient.CODEC.encode(AdminClient.update("a", "u", small)));
            raw.frame(BINARY_BEGINS, new byte[] {1});
            raw.frame(CONTINUES, new byte[] {});
            raw.frame(0x89, new byte[] {}); // a ping in between
            raw.frame(CONTINUES, new byte[] {2, 3});
            raw.frame(CONTINUES, new byte[] {4});
            raw.frame(ENDS, new byte[] {}); // after the last byte
            String reply = raw.nextText();
            while (reply.contains("progress")) {
                reply = raw.nextText();
            }
            assertEquals("{\"type\":\"ack\",\"ref\":\"a\",\"weights_version\":2,\"update_id\":\"u\"}", reply);
            raw.frame(BINARY_BEGINS, new byte[] {5});
            raw.frame(ENDS, new byte[] {6});
            raw.text(AdminClient.CODEC.encode(new AdminRequest.Stats("s")));
            assertTrue(raw.nextText().contains("unexpected_binary"), "said once per message");
            assertTrue(raw.nextText().contains("\"ack\",\"ref\":\"s\""));
        }
    }

    /** A desk that does not get on stops the socket: frames as large as they may be, and no more than a few of them come in. */
    @Test
    void shouldReadNoMoreThanItCanWrite() throws Exception {
        byte[] frame = new byte[AdminServer.CONFIG.hardFrameBytes()];
        int frames = 24;
        byte[] all = new byte[frame.length * frames];
        try (RawSocket raw = server.raw(); AdminClient other = server.client()) {
            raw.text(AdminClient.CODEC.encode(AdminClient.update("slow", "slow", all)));
            Thread flood = Thread.ofPlatform().daemon().start(() -> raw.send(BINARY, frame, frames));
            server.desk.await(() -> server.desk.waiting.get() == 1);
            long sent = 0;
            for (int quietRounds = 0; quietRounds < 100; ) {
                other.barrier("x");
                long now = raw.sentFrames.get();
                quietRounds = now > 0 && now == sent ? quietRounds + 1 : 0;
                sent = now;
            }
            // a chunk at the desk, one gathered; the rest is in the kernel's buffers
            assertTrue(server.desk.acceptedBytes.get() <= CHUNK_BYTES, "accepted=" + server.desk.acceptedBytes);
            assertTrue(sent <= 8, "the server reads on: frames=" + sent);
            assertTrue(flood.isAlive());
            server.desk.openGate();
            flood.join();
            String reply = raw.nextText();
            while (!reply.contains("ack")) {
                reply = raw.nextText();
            }
            assertEquals(all.length, server.desk.acceptedBytes.get());
            assertTrue(reply.contains("\"weights_version\":2"), reply);
        }
    }

    @Test
    void shouldGatherSmallFramesWhileTheDeskWrites() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(AdminClient.update("a", "slow", payload)).sendBinary(payload, 0, 4, true);
            server.desk.await(() -> server.desk.waiting.get() == 1);
            for (int i = 4; i < payload.length; i += 4) {
                client.sendBinary(payload, i, i + 4, true);
            }
            client.progress("a", "receiving", 0, payload.length);
            client.barrier("all read");
            server.desk.openGate();
            client.untilAnswer("a");
            assertEquals(2, server.desk.accepts.get());
        }
    }

    @Test
    void shouldThrowAwayThePayloadOfARefusedUpdate() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(AdminClient.update("a", "stale", payload)).sendBinary(payload);
            client.failed("a", AdminErrorCode.STALE_BASE_VERSION, "base_version=1");
            client.send(AdminClient.update("b", "crash", payload)).sendBinary(payload);
            client.failed("b", AdminErrorCode.INTERNAL, "its log");
            client.send(AdminClient.update("c", "again", payload)).sendBinary(payload);
            assertEquals(true, client.ack("c").details().get("repeated"));
            client.send(AdminClient.update("d", "full", payload));
            for (int i = 0; i < payload.length; i += 1000) {
                client.sendBinary(payload, i, i + 1000, true);
            }
            client.progress("d", "receiving", 0, payload.length);
            client.failed("d", AdminErrorCode.DISK_FULL, "disk full");
            String unreadable = AdminClient.CODEC.encode(AdminClient.update("e", "u", payload)).replace("\"f32\"", "\"f64\"");
            client.send(unreadable).sendBinary(payload).sendBinary(payload);
            client.failed("e", AdminErrorCode.INVALID_DTYPE, "f64");
            client.barrier("still there");
            client.send(AdminClient.update("f", "u", payload)).sendBinary(payload);
            applied(client, "f", 2);
            client.sendBinary(payload).failed(null, AdminErrorCode.UNEXPECTED_BINARY, "bytes=" + payload.length);
        }
    }

    @Test
    void shouldRefuseWrongPayloads() throws Exception {
        try (AdminClient client = server.client()) {
            client.sendBinary(payload).failed(null, AdminErrorCode.UNEXPECTED_BINARY, "bytes=40000");
            client.send(AdminClient.update("sum", "u1", payload.length, AdminClient.sha256(new byte[1]))).sendBinary(payload);
            client.progress("sum", "receiving", 0, payload.length);
            client.failed("sum", AdminErrorCode.CHECKSUM_MISMATCH, "sha256=");
            byte[] less = new byte[payload.length - 4];
            client.send(AdminClient.update("long", "u2", less)).sendBinary(payload);
            client.progress("long", "receiving", 0, less.length);
            client.failed("long", AdminErrorCode.INVALID_LENGTH, "received_bytes=40000, byte_length=39996");
            client.sendBinary(payload).barrier("thrown away");
            client.send(AdminClient.update("fault", "crash", payload)).sendBinary(payload);
            client.failed("fault", AdminErrorCode.INTERNAL, "its log");
            client.send(AdminClient.update("crash", "u3", payload)).sendBinary(payload);
            client.progress("crash", "receiving", 0, payload.length);
            client.progress("crash", "building", 1, 2);
            client.failed("crash", AdminErrorCode.INTERNAL, "its log");
            assertEquals(1, server.desk.version.get());
        }
    }

    @Test
    void shouldReceiveOneUpdateAtATimePerConnection() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(AdminClient.update("first", "u1", payload)).sendBinary(payload, 0, 20_000, true);
            client.progress("first", "receiving", 0, payload.length);
            client.send(AdminClient.update("second", "u2", payload)).failed("second", AdminErrorCode.BUSY, "ref=first");
            client.send("{\"type\":\"weights.update\",").failed(null, AdminErrorCode.MALFORMED_JSON, "");
            client.send("x".repeat(AdminProtocol.MAX_REQUEST_CHARS + 1));
            client.failed(null, AdminErrorCode.FRAME_TOO_LARGE, "limit=65536");
            client.send(new AdminRequest.WeightsRollback("refuse", 1)).failed("refuse", AdminErrorCode.NO_TIED_WEIGHTS, "");
            client.sendBinary(payload, 20_000, payload.length, true).progress("first", "building", 1, 2);
            client.ack("first");
            // the first is complete and being applied: what comes is the refused second's
            client.send(AdminClient.update("hold", "u3", payload)).sendBinary(payload);
            // its progress comes from the desk, the refusal from the session: only replies of one ref have an order
            client.progress("hold", "receiving", 0, payload.length);
            client.progress("hold", "building", 1, 2);
            server.desk.await(() -> server.desk.waiting.get() == 1);
            client.send(AdminClient.update("second", "u4", payload)).sendBinary(payload);
            client.failed("second", AdminErrorCode.BUSY, "ref=hold");
            client.barrier("silence");
            server.desk.openGate();
            assertEquals(3, client.ack("hold").weightsVersion());
        }
    }

    @Test
    void shouldReceiveFromTwoAdministratorsAtOnce() throws Exception {
        try (AdminClient one = server.client(); AdminClient two = server.client()) {
            one.send(AdminClient.update("a", "u1", payload));
            two.send(AdminClient.update("a", "u2", payload));
            for (int i = 0; i < payload.length; i += 1000) {
                one.sendBinary(payload, i, i + 1000, true);
                two.sendBinary(payload, i, i + 1000, true);
            }
            assertTrue(one.untilAnswer("a").getLast() instanceof AdminReply.Ack);
            assertTrue(two.untilAnswer("a").getLast() instanceof AdminReply.Ack);
            assertEquals(3, server.desk.version.get());
        }
    }

    @Test
    void shouldCloseTheUploadWhenTheConnectionGoes() throws Exception {
        AdminClient idle = server.client();
        idle.send(AdminClient.update("a", "u1", payload)).sendBinary(payload, 0, 100, true);
        server.desk.await(() -> server.desk.acceptedBytes.get() == 100);
        idle.close();
        server.desk.await(() -> server.desk.closed.get() == 1);
        AdminClient writing = server.client();
        writing.send(AdminClient.update("a", "slow", payload)).sendBinary(payload, 0, 100, true);
        server.desk.await(() -> server.desk.waiting.get() == 1);
        writing.abort();
        AdminClient starting = server.client();
        starting.send(AdminClient.update("a", "u2", payload));
        starting.abort();
        server.desk.openGate();
        server.desk.await(() -> server.desk.closed.get() == server.desk.opened.get() && server.desk.closed.get() >= 2);
        assertEquals(1, server.desk.version.get());
    }

    /** A payload that is complete is applied, whether its sender waits for the answer or not. */
    @Test
    void shouldFinishACompleteUpdateWithoutItsSender() throws Exception {
        AdminClient client = server.client();
        client.send(AdminClient.update("hold", "u", payload)).sendBinary(payload);
        server.desk.await(() -> server.desk.waiting.get() == 1);
        client.close();
        server.desk.openGate();
        server.desk.await(() -> server.desk.closed.get() == 1);
        assertEquals(2, server.desk.version.get());
    }

    @Test
    void shouldGiveUpUploadsWhenTheDeskStops() throws Exception {
        try (AdminClient client = server.client(); AdminClient writing = server.client()) {
            client.send(AdminClient.update("a", "u", payload)).sendBinary(payload, 0, 100, true);
            client.progress("a", "receiving", 0, payload.length);
            server.desk.await(() -> server.desk.acceptedBytes.get() == 100);
            writing.send(AdminClient.update("b", "slow", payload)).sendBinary(payload, 0, 100, true);
            writing.progress("b", "receiving", 0, payload.length);
            server.desk.await(() -> server.desk.waiting.get() == 1);
            Future<Void> stopped = server.stopDesk();
            server.desk.openGate();
            client.failed("a", AdminErrorCode.SHUTTING_DOWN, "received_bytes=100, byte_length=40000");
            writing.failed("b", AdminErrorCode.SHUTTING_DOWN, "received_bytes=100, byte_length=40000");
            stopped.await(AdminServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(2, server.desk.closed.get());
            client.sendBinary(payload, 100, 200, true);
            client.send(AdminClient.update("c", "u", payload)).sendBinary(payload);
            client.failed("c", AdminErrorCode.SHUTTING_DOWN, "shutting down");
        }
    }

    @Test
    void shouldLetUploadsEndWhenTheServerStops() throws Exception {
        try (AdminClient client = server.client(); AdminClient idle = server.client()) {
            client.send(AdminClient.update("a", "u", payload)).sendBinary(payload, 0, 100, true);
            client.progress("a", "receiving", 0, payload.length);
            Future<Void> stopped = server.stopServer();
            assertEquals(1012, idle.closeCode());
            client.send(new AdminRequest.Stats("s")).failed("s", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            client.sendBinary(payload, 100, payload.length, true).progress("a", "building", 1, 2);
            client.ack("a");
            assertEquals(1012, client.closeCode());
            stopped.await(AdminServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBreakOffAfterTheGracePeriod() throws Exception {
        TransportConfig hasty = new TransportConfig("127.0.0.1", 0, 4096, 16384, 100, 4, 2, 64 << 10, 32, 16,
                Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ZERO);
        try (AdminServer short0 = new AdminServer(hasty, 4, 8);
                AdminClient receiving = short0.client();
                AdminClient changing = short0.client()) {
            receiving.send(AdminClient.update("a", "u", payload));
            receiving.progress("a", "receiving", 0, payload.length);
            changing.send(new AdminRequest.WeightsRollback("hold", 1));
            short0.desk.await(() -> short0.desk.waiting.get() == 1);
            Future<Void> stopped = short0.stopServer();
            receiving.failed("a", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            assertEquals(1012, receiving.closeCode());
            assertEquals(1012, changing.closeCode());
            assertTrue(changing.nothingReceived(), "whether it failed is not known yet");
            stopped.await(AdminServer.PATIENCE_S, TimeUnit.SECONDS);
            short0.desk.await(() -> short0.desk.closed.get() == 1);
            assertFalse(short0.desk.handled.isEmpty());
        }
    }
}

package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminFrameMutator;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Administrators that send nonsense, or nothing, or never read. */
@ExtendWith(NettyLeakCheck.class)
class AdminFaultsIT {
    private static final String RIGHT = "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n";

    @Test
    void shouldRefuseBadMessagesAndGoOn() throws Exception {
        try (AdminServer server = new AdminServer();
                AdminClient client = server.client()) {
            client.send("").failed(null, AdminErrorCode.MALFORMED_JSON, "empty frame");
            client.send("[]").failed(null, AdminErrorCode.MALFORMED_JSON, "not an object");
            client.send("{\"type\":\"dance\",\"ref\":\"a\"}").failed("a", AdminErrorCode.UNKNOWN_TYPE, "dance");
            client.send("{\"type\":\"stats\"}").failed(null, AdminErrorCode.MISSING_FIELD, "ref");
            client.send("{\"type\":\"stats\",\"ref\":\"a\",\"x\":1}").failed("a", AdminErrorCode.UNKNOWN_FIELD, "x");
            client.send("{\"type\":\"stats\",\"ref\":\"big\",\"x\":\"" + "x".repeat(AdminProtocol.MAX_REQUEST_CHARS) + "\"}");
            client.failed("big", AdminErrorCode.FRAME_TOO_LARGE, "limit=65536");
            client.barrier("b");
        }
    }

    @Test
    void shouldCloseOnWhatIsNoWebSocket() throws Exception {
        try (AdminServer server = new AdminServer()) {
            try (RawSocket raw = server.raw()) {
                raw.frame(0x81, new byte[] {'{', (byte) 0xC3, (byte) 0x28});
                assertEquals(1007, raw.closeCode());
            }
            try (RawSocket raw = server.raw()) {
                raw.header(0x82, AdminServer.CONFIG.hardFrameBytes() + 1);
                assertEquals(1009, raw.closeCode());
            }
            try (RawSocket raw = server.raw()) {
                raw.frame(0x80, new byte[] {'x'});
                assertEquals(1002, raw.closeCode());
            }
        }
    }

    @Test
    void shouldPingAndCloseTheDead() throws Exception {
        TransportConfig config = new TransportConfig("127.0.0.1", 0, 4096, 16384, 100, 4, 2, 64 << 10, 32, 16,
                Duration.ofMillis(20), Duration.ofSeconds(60), Duration.ofSeconds(60));
        AtomicLong nowNs = new AtomicLong();
        try (AdminServer server = new AdminServer(config, 4, 8, nowNs::get);
                RawSocket alive = server.raw();
                RawSocket dead = server.raw();
                AdminClient other = server.client()) {
            alive.text(AdminClient.CODEC.encode(new AdminRequest.WeightsRollback("hold", 1)));
            dead.text(AdminClient.CODEC.encode(AdminClient.update("a", "u", new byte[1000])));
            server.desk.await(() -> server.desk.waiting.get() == 1 && server.desk.opened.get() == 1);
            nowNs.addAndGet(Duration.ofSeconds(40).toNanos());
            dead.nextPing();
            alive.nextPing();
            alive.pong(); // all that is heard of it
            other.barrier("the pong");
            other.barrier("was read");
            nowNs.addAndGet(Duration.ofSeconds(40).toNanos());
            assertEquals(1001, dead.closeCode());
            server.desk.await(() -> server.desk.closed.get() == 1);
            server.desk.openGate();
            assertTrue(alive.nextText().contains("\"ack\",\"ref\":\"hold\""));
        }
    }

    /** A server that does not read because its disk is slow does not take that for a dead client. */
    @Test
    void shouldNotBlameTheClientForItsOwnSlowness() throws Exception {
        TransportConfig config = new TransportConfig("127.0.0.1", 0, 4096, 2 << 20, 100, 4, 2, 64 << 10, 32, 16,
                Duration.ofMillis(20), Duration.ofSeconds(60), Duration.ofSeconds(60));
        byte[] frame = new byte[1 << 20];
        AtomicLong nowNs = new AtomicLong();
        try (AdminServer server = new AdminServer(config, 4, 8, nowNs::get);
                RawSocket waiting = server.raw();
                RawSocket dead = server.raw()) {
            waiting.text(AdminClient.CODEC.encode(AdminClient.update("a", "slow", new byte[4 + (2 << 20)])));
            waiting.frame(0x82, new byte[4]);
            server.desk.await(() -> server.desk.waiting.get() == 1); // before that a large frame would be held, and let go again
            waiting.frame(0x82, frame);
            waiting.nextPing(); // time stands still: only a client that is not read gets one
            nowNs.addAndGet(Duration.ofSeconds(61).toNanos());
            assertEquals(1001, dead.closeCode());
            waiting.nextPing();
            server.desk.openGate();
            waiting.frame(0x82, frame);
            String reply = waiting.nextText();
            while (reply.contains("progress")) {
                reply = waiting.nextText();
            }
            assertTrue(reply.contains("\"weights_version\":2"), reply);
        }
    }

    @Test
    void shouldStopReadingFromAClientThatNeverReads() throws Exception {
        try (AdminServer server = new AdminServer();
                RawSocket raw = server.raw();
                AdminClient other = server.client()) {
            byte[] bad = ("{\"type\":\"stats\",\"ref\":\"" + "r".repeat(100) + "\",\"x\":\"" + "y".repeat(4000) + "\"}")
                    .getBytes(StandardCharsets.UTF_8);
            Thread flood = Thread.ofPlatform().daemon().start(() -> raw.flood(0x81, bad));
            long sent = 0;
            for (int quietRounds = 0; quietRounds < 50; ) {
                other.barrier("x");
                long now = raw.sentFrames.get();
                assertTrue(now < 200_000, "the server reads on: frames=" + now);
                quietRounds = now > 64 && now == sent ? quietRounds + 1 : 0;
                sent = now;
            }
            assertTrue(flood.isAlive(), "the flood was cut: frames=" + raw.sentFrames);
            raw.abort();
            flood.join();
        }
    }

    /** Each of 5,000 broken requests, payloads and visitors gets its code; the desk is as before, and nothing is left behind. */
    @Test
    void shouldSurviveFiveThousandFaults() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("AdminFaultsIT: -Dtidestream.seed=" + seed);
        try (AdminServer server = new AdminServer()) {
            Faults faults = new Faults(server, seed);
            try {
                for (int i = 0; i < 5_000; i++) {
                    faults.next();
                }
                faults.client.barrier("the end");
            } catch (AssertionError | Exception e) {
                throw new AssertionError("seed=" + seed + ", " + faults, e);
            } finally {
                faults.client.close();
            }
            System.out.println("AdminFaultsIT: " + faults);
            server.desk.await(() -> server.desk.opened.get() == server.desk.closed.get());
            assertEquals(1, server.desk.version.get(), "an update was applied");
            assertEquals(faults.valid + 1, server.desk.handled.size(), "seed=" + seed + ": the desk has seen something else");
            assertEquals(0, server.desk.waiting.get());
            assertTrue(faults.codes.size() >= 11 && faults.refused > 3_500, faults.toString());
        }
    }

    /** One client after the other, each fault answered before the next is sent. */
    private static final class Faults {
        final Map<AdminErrorCode, Integer> codes = new EnumMap<>(AdminErrorCode.class);
        int valid;
        int refused;
        AdminClient client;
        private final AdminServer server;
        private final SplittableRandom random;
        private final AdminFrameMutator frames;
        private final AdminCodec codec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
        private int number;
        private String last = "";

        Faults(AdminServer server, long seed) {
            this.server = server;
            this.random = new SplittableRandom(seed);
            this.frames = new AdminFrameMutator(random.split());
            this.client = server.client();
        }

        void next() throws Exception {
            number++;
            int kind = random.nextInt(100);
            if (kind < 70) {
                mutated();
            } else if (kind < 74) {
                last = "{\"type\":\"stats\",\"ref\":\"big\",\"x\":\"" + "x".repeat(65_530 + random.nextInt(5_000)) + "\"}";
                expect(client.send(last), "big", AdminErrorCode.FRAME_TOO_LARGE);
            } else if (kind < 82) {
                wrongPayload();
            } else if (kind < 88) {
                last = "too long";
                byte[] payload = payload();
                announce(payload.length, AdminClient.sha256(payload));
                client.sendBinary(new byte[payload.length + 1 + random.nextInt(5000)]);
                expect(client, "r" + number, AdminErrorCode.INVALID_LENGTH);
            } else if (kind < 92) {
                refusedWithPayload();
            } else if (kind < 96) {
                truncated();
            } else if (kind < 98) {
                last = "unexpected";
                reconnect();
                expect(client.sendBinary(payload()), null, AdminErrorCode.UNEXPECTED_BINARY);
            } else {
                wrongToken();
            }
        }

        /** Whether it is still a request, the codec says; then the desk must see it, otherwise the client the code. */
        private void mutated() throws Exception {
            String frame = frames.next();
            last = StandardCharsets.UTF_8.newEncoder().canEncode(frame) ? frame : "{\"type\":" + number;
            client.send(last);
            AdminRequest request;
            try {
                request = codec.decodeRequest(last);
            } catch (AdminProtocolException e) {
                AdminReply reply = client.next();
                assertEquals(e.toFailed(), reply);
                count(e.code());
                return;
            }
            if (request instanceof AdminRequest.WeightsUpdate update && update.path() == null) {
                if (update.byteLength() <= 1 << 20) {
                    client.progress(update.ref(), "receiving", 0, update.byteLength());
                    client.sendBinary(new byte[(int) update.byteLength()]);
                    expect(client, update.ref(), AdminErrorCode.CHECKSUM_MISMATCH);
                } else {
                    expect(client, update.ref(), AdminErrorCode.TOO_MANY_BYTES);
                }
            } else {
                client.ack(request.ref());
                valid++;
            }
        }

        private void wrongPayload() throws Exception {
            last = "wrong payload";
            byte[] payload = payload();
            announce(payload.length, AdminClient.sha256(payload));
            payload[random.nextInt(payload.length)] ^= (byte) (1 << random.nextInt(8));
            int cut = random.nextInt(payload.length + 1);
            client.sendBinary(payload, 0, cut, random.nextBoolean()).sendBinary(payload, cut, payload.length, true);
            expect(client, "r" + number, AdminErrorCode.CHECKSUM_MISMATCH);
        }

        private void refusedWithPayload() throws Exception {
            last = "refused with payload";
            byte[] payload = payload();
            client.send(AdminClient.CODEC.encode(AdminClient.update("r" + number, random.nextBoolean() ? "stale" : "u", payload))
                    .replace("\"shape\":[", "\"shape\":[" + (random.nextBoolean() ? "" : "9,")));
            int cut = random.nextInt(payload.length + 1);
            client.sendBinary(payload, 0, cut, false).sendBinary(payload, cut, payload.length, true);
            AdminReply reply = client.next();
            while (reply instanceof AdminReply.Progress) {
                reply = client.next();
            }
            if (reply instanceof AdminReply.Failed failed) {
                count(failed.code());
            } else {
                server.desk.version.decrementAndGet(); // a right one, for once
            }
            client.barrier("s" + number);
            valid++;
        }

        private void truncated() throws Exception {
            last = "truncated";
            byte[] payload = payload();
            announce(payload.length, AdminClient.sha256(payload));
            client.sendBinary(payload, 0, random.nextInt(payload.length), random.nextBoolean());
            refused++;
            if (random.nextBoolean()) {
                client.abort();
                client = server.client();
            } else {
                reconnect();
            }
        }

        private void wrongToken() throws Exception {
            last = "wrong token";
            int length = random.nextInt(AdminServer.TOKEN.length());
            String token = AdminServer.TOKEN.substring(0, length) + "x".repeat(random.nextInt(100));
            String headers = random.nextBoolean()
                    ? "Authorization: Bearer " + token + "\r\n" + RIGHT
                    : "Sec-WebSocket-Protocol: bearer." + token + ", tidestream.admin.v1\r\n";
            try (RawSocket raw = new RawSocket(server.port(), "GET /v1/admin", headers)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 401"), headers + raw.response);
                assertTrue(raw.body().contains("\"unauthorized\""));
            }
            count(AdminErrorCode.UNAUTHORIZED);
        }

        private void reconnect() {
            client.close();
            client = server.client();
        }

        private byte[] payload() {
            byte[] payload = new byte[4 * (1 + random.nextInt(5000))];
            random.nextBytes(payload);
            return payload;
        }

        private void announce(int bytes, String sha256) {
            client.send(AdminClient.update("r" + number, "u" + number, bytes, sha256));
        }

        private void expect(AdminClient from, @Nullable String ref, AdminErrorCode code) throws InterruptedException {
            AdminReply reply = from.next();
            while (reply instanceof AdminReply.Progress) {
                reply = from.next();
            }
            assertTrue(reply instanceof AdminReply.Failed f && f.code() == code, reply.toString());
            assertEquals(ref, reply.ref());
            count(code);
        }

        private void count(AdminErrorCode code) {
            codes.merge(code, 1, Integer::sum);
            refused++;
        }

        @Override
        public String toString() {
            return "number=" + number + ", refused=" + refused + ", valid=" + valid + ", codes=" + codes + ", last=" + last;
        }
    }
}

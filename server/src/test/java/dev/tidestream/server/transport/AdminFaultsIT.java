package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminRequest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Administrators that send nonsense, or nothing, or never read. */
@ExtendWith(NettyLeakCheck.class)
class AdminFaultsIT {
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
        ManualClock clock = new ManualClock();
        try (AdminServer server = new AdminServer(AdminServer.CONFIG, 4, 8, clock);
                RawSocket alive = server.raw();
                RawSocket dead = server.raw();
                AdminClient other = server.client()) {
            alive.text(AdminClient.CODEC.encode(new AdminRequest.WeightsRollback("hold", 1)));
            dead.text(AdminClient.CODEC.encode(AdminClient.update("a", "u", new byte[1000])));
            server.desk.await(() -> server.desk.waiting.get() == 1 && server.desk.opened.get() == 1);
            clock.advance(Duration.ofSeconds(40));
            dead.nextPing();
            alive.nextPing();
            alive.pong(); // all that is heard of it
            other.barrier("the pong");
            other.barrier("was read");
            clock.advance(Duration.ofSeconds(40));
            assertEquals(1001, dead.closeCode());
            server.desk.await(() -> server.desk.closed.get() == 1);
            server.desk.openGate();
            assertTrue(alive.nextText().contains("\"ack\",\"ref\":\"hold\""));
        }
    }

    /** A server that does not read because its disk is slow does not take that for a dead client. */
    @Test
    void shouldNotBlameTheClientForItsOwnSlowness() throws Exception {
        byte[] frame = new byte[1 << 20];
        ManualClock clock = new ManualClock();
        try (AdminServer server = new AdminServer(AdminServer.CONFIG, 4, 8, clock);
                RawSocket waiting = server.raw();
                RawSocket dead = server.raw()) {
            waiting.text(AdminClient.CODEC.encode(AdminClient.update("a", "slow", new byte[4 + (2 << 20)])));
            waiting.frame(0x82, new byte[4]);
            server.desk.await(() -> server.desk.waiting.get() == 1); // before that a large frame would be held, and let go again
            waiting.frame(0x82, frame);
            try (AdminClient other = server.client()) {
                other.barrier("some of the frame");
                other.barrier("was read, and no more is");
            }
            clock.advance(Duration.ofSeconds(61));
            assertEquals(1001, dead.closeCode());
            waiting.nextPing(); // after 20 s
            waiting.nextPing(); // 40 s
            waiting.nextPing(); // 60 s
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

    /** Each of 5,000 broken requests, payloads and visitors gets its answer; the desk has seen what it should, and no more. */
    @Test
    void shouldSurviveFiveThousandFaults() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("AdminFaultsIT: -Dtidestream.seed=" + seed);
        try (AdminServer server = new AdminServer();
                AdminFaults faults = new AdminFaults(server.port(), AdminServer.TOKEN, seed,
                        update -> update.byteLength() <= 1 << 20,
                        request -> false,
                        () -> server.desk.opened.get() == server.desk.closed.get())) {
            faults.run(5_000, fault -> {});
            System.out.println("AdminFaultsIT: " + faults);
            assertEquals(1 + faults.applied(), server.desk.version.get(), "another update was applied");
            assertEquals(faults.valid(), server.desk.handled.size(), "seed=" + seed + ": the desk has seen something else");
            assertEquals(0, faults.declined(), "this desk declines nothing");
            assertEquals(0, server.desk.waiting.get());
            assertTrue(faults.codes() >= 11 && faults.refused() > 3_500, faults.toString());
        }
    }
}

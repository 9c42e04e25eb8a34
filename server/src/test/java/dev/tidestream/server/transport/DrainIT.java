package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How long a server may take to stop, whatever its clients do. Time passes when the test says so. */
@ExtendWith(NettyLeakCheck.class)
class DrainIT {
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final int MANY_SECONDS = 10_000;
    private static final String GENERATE = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"hold\",\"max_tokens\":9}";

    private final ManualClock clock = new ManualClock();
    private final TransportConfig config = TestServer.CONFIG.withShutdownGrace(GRACE);

    @Test
    void shouldStopElevenSecondsAfterItWasToldAtTheLatest() throws Exception {
        try (TestServer server = new TestServer(config, clock);
                RawSocket silent = new RawSocket(server.port());
                RawSocket idle = new RawSocket(server.port());
                RawHttp slow = new RawHttp(server.port())) {
            silent.text(GENERATE);
            assertTrue(silent.nextText().contains("\"accepted\""));
            slow.send("GET /");
            Future<Void> stopped = server.stop();
            assertEquals(1012, idle.closeCode());
            clock.advance(Duration.ofSeconds(5)); // and does not answer
            assertEquals(RawSocket.END, idle.next());
            clock.advance(Duration.ofSeconds(5).minusNanos(1));
            try (RawHttp health = new RawHttp(server.port())) {
                assertEquals(503, health.send("GET /health/ready HTTP/1.1\nHost: localhost\n\n").answer().status());
            }
            assertFalse(stopped.isComplete());
            clock.advance(Duration.ofNanos(1));
            assertTrue(silent.nextText().contains("\"shutting_down\""));
            assertEquals(1012, silent.next().closeCode());
            clock.advance(Duration.ofSeconds(1));
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(RawSocket.END, silent.next());
            assertEquals(408, slow.answer().status());
            assertTrue(slow.atEnd());
        }
    }

    /** A client that does not read holds up its own end for no longer. */
    @Test
    void shouldStopForAClientThatDoesNotRead() throws Exception {
        try (TestServer server = new TestServer(config, clock);
                TestClient deaf = new TestClient(server.port(), false)) {
            deaf.generate("a", "long", 100_000_000, "").generate("b", "long", 100_000_000, "");
            server.engine.await(() -> server.engine.emitted.get() > 100);
            Future<Void> stopped = server.stop();
            for (int second = 0; !stopped.isComplete() && second < MANY_SECONDS; second++) {
                clock.advance(Duration.ofSeconds(1)); // the first of them may pass before the server has begun to stop
            }
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            server.engine.await(() -> server.engine.running() == 0);
            deaf.abort();
        }
    }

    /** While no one stops the server, a client has five seconds for the close frame. */
    @Test
    void shouldNotWaitForeverForACloseFrame() throws Exception {
        try (TestServer server = new TestServer(config, clock);
                RawSocket raw = new RawSocket(server.port())) {
            raw.frame(0x80, new byte[] {'x'});
            assertEquals(1002, raw.next().closeCode());
            assertEquals(RawSocket.END, raw.next()); // our side is shut
            raw.text(GENERATE); // thrown away
            try (TestClient other = server.client()) {
                other.barrier("a");
                assertEquals(2, server.stats().streamConnections());
                clock.advance(Duration.ofSeconds(5));
                other.barrier("b");
                while (server.stats().streamConnections() > 1) {
                    other.barrier("c");
                }
            }
        }
    }

    /** A violation does not wait for a stream that goes on and on. */
    @Test
    void shouldGiveAnswersASecondAfterAViolation() throws Exception {
        try (TestServer server = new TestServer(config, clock);
                RawSocket raw = new RawSocket(server.port());
                TestClient other = server.client()) {
            raw.bytes(RawSocket.frameOf(0x81, GENERATE.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                    RawSocket.frameOf(0x80, new byte[0]));
            assertTrue(raw.nextText().contains("\"accepted\""));
            other.barrier("a");
            assertEquals(0, raw.unread().size());
            clock.advance(Duration.ofSeconds(1));
            assertEquals(1002, raw.next().closeCode());
            server.engine.await(() -> server.engine.cancelled.get() == 1);
        }
    }
}

package dev.tidestream.server.transport;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.HttpLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Connections that ask for nothing, or a byte at a time, and that nobody beside them notices. Time passes when the test says so.
 */
@ExtendWith(NettyLeakCheck.class)
class SlowRequestsIT {
    private static final String LIVE = "GET /health/live HTTP/1.1\nHost: localhost\n\n";
    private static final int PER_ADDRESS = 8;
    private static final int PENDING = 12;
    private static final int IDLE = 5;
    private static final TransportConfig CONFIG = TestServer.CONFIG.withLimits(
            new HttpLimits(PENDING, PER_ADDRESS, IDLE, Duration.ofSeconds(10), Duration.ofSeconds(60)),
            TestServer.CONFIG.sockets());

    private final ManualClock clock = new ManualClock();

    private static void close(List<RawHttp> all) throws Exception {
        for (RawHttp http : all) {
            http.close();
        }
    }

    private static void live(TestServer server) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            assertEquals(200, http.send(LIVE).answer().status());
        }
    }

    private static void refused(RawHttp http, int status, String code) throws Exception {
        RawHttp.Answer answer = http.answer();
        assertEquals(status, answer.status());
        assertTrue(answer.body().contains("\"code\":\"" + code + "\"}}"), answer.body());
        assertTrue(answer.head().contains("connection: close"), answer.head());
        assertTrue(http.atEnd());
    }

    /** Far more than there may be; each sends a byte a second, and health checks come all the while. */
    @Test
    void shouldAnswerHealthChecksWhileSlowRequestsCome() throws Exception {
        List<RawHttp> slow = new ArrayList<>();
        try (TestServer server = new TestServer(CONFIG, clock)) {
            String request = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(100);
            for (int i = 0; i < 100; i++) {
                slow.add(new RawHttp(server.port()).send("G"));
                if (i % 10 == 0) {
                    live(server);
                }
            }
            for (int second = 1; second < 10; second++) {
                for (RawHttp http : slow) {
                    try {
                        http.send(request.substring(second, second + 1));
                    } catch (java.net.SocketException e) {
                        assertTrue(server.stats().refused(Refusal.PENDING_FULL) > 0, "closed by the server");
                    }
                }
                live(server);
                assertEquals(200, server.http("GET", "/health/ready").statusCode());
                assertTrue(server.stats().pendingRequests() <= PER_ADDRESS, server.stats().toString());
                clock.advance(Duration.ofSeconds(1));
            }
            clock.advance(Duration.ofSeconds(1));
            assertEquals(0, server.stats().pendingRequests(), "their time is over");
            assertTrue(server.stats().refused(Refusal.PENDING_FULL) >= 100 - PER_ADDRESS, server.stats().toString());
            live(server);
        } finally {
            close(slow);
        }
    }

    /** What a program reads has the digits 0 to 9, also in a process whose language has others. */
    @Test
    void shouldAnswerInAsciiDigitsWhateverTheLocale() throws Exception {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try (TestServer server = new TestServer(CONFIG, clock);
                RawHttp slow = new RawHttp(server.port())) {
            slow.send("GET /");
            live(server); // the slow one has been read, too
            clock.advance(Duration.ofSeconds(10));
            refused(slow, 408, "request_timeout");
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void shouldGiveUpTheOldestOfAnAddressAndThenOfAll() throws Exception {
        List<RawHttp> slow = new ArrayList<>();
        try (TestServer server = new TestServer(CONFIG, clock)) {
            for (int i = 0; i <= PER_ADDRESS; i++) {
                slow.add(new RawHttp(server.port(), InetAddress.getByName("127.0.0.2")).send("GET /"));
            }
            refused(slow.getFirst(), 503, "overloaded");
            for (int i = PER_ADDRESS; i <= PENDING; i++) { // PER_ADDRESS are there, so one is too many
                slow.add(new RawHttp(server.port(), InetAddress.getByName("127.0.0.3")).send("GET /"));
            }
            refused(slow.get(1), 503, "overloaded");
            live(server);
            assertTrue(server.stats().pendingRequests() <= PENDING, server.stats().toString());
        } finally {
            close(slow);
        }
    }

    @Test
    void shouldBoundTheTimeOfARequest() throws Exception {
        try (TestServer server = new TestServer(CONFIG, clock);
                RawHttp silent = new RawHttp(server.port());
                RawHttp slow = new RawHttp(server.port());
                RawHttp body = new RawHttp(server.port());
                RawHttp second = new RawHttp(server.port())) {
            slow.send("GET /health/live HTTP/1.1\nHost: local");
            body.send("POST /v1/models HTTP/1.1\nHost: localhost\nContent-Length: 100\n\nsome");
            assertEquals(405, body.answer().status());
            assertEquals(200, second.send(LIVE).answer().status());
            live(server);
            clock.advance(Duration.ofSeconds(9));
            second.send("GET /health"); // begins now
            live(server);
            live(server);
            clock.advance(Duration.ofSeconds(1));
            refused(silent, 408, "request_timeout");
            refused(slow, 408, "request_timeout");
            assertTrue(body.atEnd(), "it has its answer, but not its end");
            clock.advance(Duration.ofSeconds(8));
            assertEquals(200, second.send("/live HTTP/1.1\nHost: localhost\n\n").answer().status());
            second.send("GET /");
            live(server);
            live(server);
            clock.advance(Duration.ofSeconds(10));
            refused(second, 408, "request_timeout");
            assertEquals(4, server.stats().refused(Refusal.REQUEST_TIMEOUT));
        }
    }

    /** Kept alive for a minute, and no more of them than may be; one that is used is not idle. */
    @Test
    void shouldBoundConnectionsThatAreKeptAlive() throws Exception {
        List<RawHttp> kept = new ArrayList<>();
        try (TestServer server = new TestServer(CONFIG, clock)) {
            for (int i = 0; i < IDLE + 2; i++) {
                kept.add(new RawHttp(server.port()));
                assertEquals(200, kept.getLast().send(LIVE).answer().status());
                assertEquals(200, kept.getFirst().send(LIVE).answer().status());
            }
            assertTrue(kept.get(1).atEnd());
            assertTrue(kept.get(2).atEnd());
            clock.advance(Duration.ofSeconds(59));
            assertEquals(200, kept.getFirst().send(LIVE).answer().status());
            clock.advance(Duration.ofSeconds(1));
            assertTrue(kept.getLast().atEnd());
            assertEquals(200, kept.getFirst().send(LIVE).answer().status());
            clock.advance(Duration.ofSeconds(60));
            assertTrue(kept.getFirst().atEnd());
            assertEquals(0, server.stats().idleConnections());
        } finally {
            close(kept);
        }
    }

    /** Who asks again and again and does not read the answers is let go before they pile up. */
    @Test
    void shouldNotKeepAnswersThatNobodyReads() throws Exception {
        try (TestServer server = new TestServer(CONFIG, clock);
                RawHttp flood = new RawHttp(server.port())) {
            String requests = "GET /v1/nowhere%s HTTP/1.1\nHost: localhost\n\n".formatted("x".repeat(100)).repeat(100);
            int sent = 0;
            try {
                while (server.stats().refused(Refusal.UNREAD_ANSWERS) == 0) {
                    flood.send(requests);
                    assertTrue(++sent < 10_000, "the server answers on: packets=" + sent);
                }
            } catch (java.net.SocketException e) {
                live(server); // the connection was closed under our hands
            }
            assertEquals(1, server.stats().refused(Refusal.UNREAD_ANSWERS));
            live(server);
        }
    }

    /** Connections that are plain HTTP take no room of WebSockets, and the other way round. */
    @Test
    void shouldTakeWebSocketsWhileSlowRequestsCome() throws Exception {
        List<RawHttp> slow = new ArrayList<>();
        try (TestServer server = new TestServer(CONFIG, clock)) {
            for (int i = 0; i < 50; i++) {
                slow.add(new RawHttp(server.port()).send("GET /"));
            }
            try (TestClient client = server.client()) {
                assertEquals(3, client.barrier("a").size());
                assertEquals(1, server.stats().streamConnections());
            }
        } finally {
            close(slow);
        }
    }
}

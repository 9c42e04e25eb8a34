package dev.tidestream.server.transport;

import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.SSLContext;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.tls.TestCertificate;
import dev.tidestream.server.transport.tls.TlsFiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Answers over HTTP/2 that wait for windows of their client. Time passes when the test says so. */
@ExtendWith(NettyLeakCheck.class)
class Http2WindowsIT {
    private static final String WHOLE = "{\"model\":\"m/1\",\"prompt\":\"x\",\"max_tokens\":3}";
    private static final String STREAMED = "{\"model\":\"m/1\",\"prompt\":\"x\",\"max_tokens\":3,\"stream\":true}";
    private static final String LONG = "{\"model\":\"m/1\",\"prompt\":\"long\",\"max_tokens\":1000000,\"stream\":true}";
    private static final Duration STALL = TestServer.CONFIG.http().answers().stallTimeout();
    private static final int CANCEL = 8;

    @TempDir
    static Path shared;
    private static TlsFiles files;
    private static SSLContext trust;

    private final ManualClock clock = new ManualClock();

    @BeforeAll
    static void make() throws Exception {
        TestCertificate certificate = TestCertificate.make(shared, "h2", "EC");
        files = certificate.write(shared);
        trust = TestCertificate.trusting(certificate);
    }

    private TestServer server() throws Exception {
        return new TestServer(TestServer.CONFIG.withTls(files), clock);
    }

    private static RawHttp2.Frame expect(RawHttp2 client, int type, int stream) throws Exception {
        RawHttp2.Frame frame = client.next();
        assertEquals(type, frame.type(), frame::toString);
        assertEquals(stream, frame.stream(), frame::toString);
        return frame;
    }

    private static void expectReset(RawHttp2 client, int stream) throws Exception {
        assertEquals(CANCEL, expect(client, RawHttp2.RST_STREAM, stream).errorCode());
    }

    private static void expectAlive(RawHttp2 client, int stream) throws Exception {
        client.request(stream, "HEAD", "/health/live", ""); // whose answer needs no window
        assertTrue(expect(client, RawHttp2.HEADERS, stream).endsStream());
    }

    /** The head comes all the same; the time counts from the first look at what waits. */
    private void shouldGiveUpWithoutWindow(String request) throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", request);
            expect(client, RawHttp2.HEADERS, 1);
            server.engine.await(() -> server.engine.running() == 0);
            client.sync();
            clock.advance(STALL);
            client.sync();
            assertEquals(0, server.stats().refused(Refusal.UNREAD_ANSWERS));
            clock.advance(STALL.dividedBy(8));
            expectReset(client, 1);
            assertEquals(1, server.stats().refused(Refusal.UNREAD_ANSWERS));
            expectAlive(client, 3);
        }
    }

    @Test
    void shouldGiveUpAWholeAnswerThatGetsNoWindow() throws Exception {
        shouldGiveUpWithoutWindow(WHOLE);
    }

    @Test
    void shouldGiveUpAStreamedAnswerThatGetsNoWindow() throws Exception {
        shouldGiveUpWithoutWindow(STREAMED);
    }

    @Test
    void shouldGiveUpAStreamThatRuns() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", LONG);
            expect(client, RawHttp2.HEADERS, 1);
            server.engine.await(() -> server.engine.emitted.get() > 10 && server.engine.allStalled());
            clock.advance(STALL.plus(STALL.dividedBy(8)));
            expectReset(client, 1);
            server.engine.await(() -> server.engine.running() == 0);
            expectAlive(client, 3);
        }
    }

    @Test
    void shouldGiveUpWhoGrantsOnceAndThenNothing() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 1);
            clock.advance(STALL.dividedBy(2));
            client.grant(1, 20);
            client.data(1, 20);
            clock.advance(STALL);
            client.sync();
            assertEquals(0, server.stats().refused(Refusal.UNREAD_ANSWERS));
            clock.advance(STALL.dividedBy(8));
            expectReset(client, 1);
            expectAlive(client, 3);
        }
    }

    /** A byte at a time is enough. */
    @Test
    void shouldNotGiveUpWhoGrantsSteadily() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 1);
            for (int i = 0; i < 10; i++) {
                clock.advance(STALL.dividedBy(2));
                client.grant(1, 1);
                client.data(1, 1);
            }
            client.grant(1, 10_000);
            assertTrue(expect(client, RawHttp2.DATA, 1).endsStream());
            assertEquals(0, server.stats().refused(Refusal.UNREAD_ANSWERS));
        }
    }

    /** What is granted to a stream sends nothing while the connection has no window. */
    @Test
    void shouldGiveUpWhatTheConnectionHasNoWindowFor() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 1 << 20)) {
            client.request(1, "POST", "/v1/completions", LONG);
            expect(client, RawHttp2.HEADERS, 1);
            client.data(1, 65_535);
            server.engine.await(server.engine::allStalled);
            for (int i = 0; i < 9; i++) {
                client.grant(1, 1000);
                client.sync();
                clock.advance(STALL.dividedBy(8));
            }
            expectReset(client, 1);
            client.request(3, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 3);
            client.grant(0, 10_000);
            assertTrue(expect(client, RawHttp2.DATA, 3).endsStream());
        }
    }

    /** Only the one that nothing is granted to; the other one goes on. */
    @Test
    void shouldGiveUpAnAnswerAlone() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 1);
            client.request(3, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 3);
            clock.advance(STALL);
            client.grant(3, 1);
            client.data(3, 1);
            clock.advance(STALL.dividedBy(8));
            expectReset(client, 1);
            client.grant(3, 10_000);
            assertTrue(expect(client, RawHttp2.DATA, 3).endsStream());
            assertEquals(1, server.stats().refused(Refusal.UNREAD_ANSWERS));
        }
    }

    /** An answer that waits keeps its connection, although that is idle to its channel. */
    @Test
    void shouldKeepAConnectionWithAnAnswerThatWaits() throws Exception {
        try (TestServer server = server(); RawHttp2 client = new RawHttp2(server.port(), trust, 0)) {
            client.request(1, "POST", "/v1/completions", WHOLE);
            expect(client, RawHttp2.HEADERS, 1);
            Duration idle = TestServer.CONFIG.http().idleTimeout();
            for (Duration passed = Duration.ZERO; passed.compareTo(idle) <= 0; passed = passed.plus(STALL.dividedBy(2))) {
                clock.advance(STALL.dividedBy(2));
                client.grant(1, 1);
                client.data(1, 1);
            }
            expectAlive(client, 3);
        }
    }
}

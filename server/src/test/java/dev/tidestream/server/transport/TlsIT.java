package dev.tidestream.server.transport;

import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.HttpLimits;
import dev.tidestream.server.transport.tls.TestCertificate;
import dev.tidestream.server.transport.tls.TlsException;
import dev.tidestream.server.transport.tls.TlsFiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server with a certificate. */
@ExtendWith(NettyLeakCheck.class)
class TlsIT {
    @TempDir
    static Path shared;
    private static TestCertificate first;
    private static TestCertificate second;
    private static SSLContext trust;

    @TempDir
    Path temp;
    private TlsFiles files;

    @BeforeAll
    static void make() throws Exception {
        first = TestCertificate.make(shared, "first", "EC");
        second = TestCertificate.make(shared, "second", "EC");
        trust = TestCertificate.trusting(first, second);
    }

    @BeforeEach
    void write() throws Exception {
        files = first.write(temp);
    }

    private TransportConfig config() {
        return TestServer.CONFIG.withTls(files);
    }

    private static HttpClient client(HttpClient.Version version) {
        return HttpClient.newBuilder().sslContext(trust).version(version).build();
    }

    private static HttpResponse<String> get(HttpClient client, int port, String path) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + path)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Who a new connection meets. */
    private static String met(int port, String protocol) throws Exception {
        try (SSLSocket socket = (SSLSocket) trust.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.setEnabledProtocols(new String[] {protocol});
            socket.startHandshake();
            return socket.getSession().getPeerPrincipal().getName();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP_2", "HTTP_1_1"})
    void shouldSpeakTheVersionThatTheClientOffers(String name) throws Exception {
        HttpClient.Version version = HttpClient.Version.valueOf(name);
        try (TestServer server = new TestServer(config()); HttpClient client = client(version)) {
            HttpResponse<String> answer = get(client, server.port(), "/health/ready");
            assertEquals(200, answer.statusCode(), answer.body());
            assertEquals(version, answer.version());
            assertEquals(404, get(client, server.port(), "/nowhere").statusCode());
            HttpResponse<String> completion = client.send(HttpRequest.newBuilder(URI.create("https://localhost:" + server.port()
                    + "/v1/completions"))
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"m/1\",\"prompt\":\"x\",\"max_tokens\":3,"
                    + "\"stream\":true}")).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(200, completion.statusCode());
            assertTrue(completion.body().endsWith("data: [DONE]\n\n"), completion.body());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void shouldSpeak(String protocol) throws Exception {
        try (TestServer server = new TestServer(config())) {
            assertEquals("CN=first", met(server.port(), protocol));
        }
    }

    /** WebSockets are as they are without TLS: of HTTP/1.1. */
    @Test
    void shouldCarryWebSockets() throws Exception {
        CompletableFuture<String> text = new CompletableFuture<>();
        CompletableFuture<Integer> closed = new CompletableFuture<>();
        WebSocket.Listener listener = new WebSocket.Listener() {
            private final StringBuilder frames = new StringBuilder();

            @Override
            public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                frames.append(data);
                if (frames.indexOf("\"finished\"") >= 0) {
                    text.complete(frames.toString());
                }
                socket.request(1);
                return null;
            }

            @Override
            public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
                closed.complete(code);
                return null;
            }
        };
        try (TestServer server = new TestServer(config()); HttpClient client = client(HttpClient.Version.HTTP_2)) {
            WebSocket socket = client.newWebSocketBuilder().subprotocols("tidestream.v1")
                    .buildAsync(URI.create("wss://127.0.0.1:" + server.port() + "/v1/stream"), listener)
                    .get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            socket.sendText("{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"max_tokens\":3}", true)
                    .get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            String frames = text.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(3, frames.split("\"type\":\"token\"", -1).length - 1, frames);
            socket.sendClose(1000, "").get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            closed.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldTakeNewFilesAndKeepTheOldOnesIfTheyAreBroken() throws Exception {
        try (TestServer server = new TestServer(config()); HttpClient old = client(HttpClient.Version.HTTP_1_1)) {
            assertEquals(200, get(old, server.port(), "/health/live").statusCode());
            second.write(temp);
            assertEquals("CN=first", met(server.port(), "TLSv1.3"));
            assertEquals("CN=second", server.verticle().renewTls().subject());
            assertEquals("CN=second", met(server.port(), "TLSv1.3"));
            assertEquals(200, get(old, server.port(), "/health/live").statusCode(), "a connection stays as it is");
            Files.writeString(files.key(), first.keyPem());
            assertThrows(TlsException.class, server.verticle()::renewTls);
            Files.writeString(files.key(), "");
            assertThrows(TlsException.class, server.verticle()::renewTls);
            assertEquals("CN=second", met(server.port(), "TLSv1.3"));
        }
    }

    /** A flood of them costs the oldest its place, and nobody else an answer; also with a certificate that came later. */
    @Test
    void shouldBoundHandshakesInNumber() throws Exception {
        HttpLimits few = new HttpLimits(12, 8, 4, Duration.ofSeconds(10), Duration.ofSeconds(60));
        List<Socket> silent = new ArrayList<>();
        try (TestServer server = new TestServer(config().withLimits(few, TestServer.CONFIG.sockets()), new ManualClock());
                HttpClient client = client(HttpClient.Version.HTTP_2)) {
            for (int i = 1; i <= 20; i++) {
                if (i == 10) {
                    second.write(temp);
                    server.verticle().renewTls();
                }
                silent.add(new Socket(InetAddress.getLoopbackAddress(), server.port()));
                silent.getLast().setSoTimeout((int) TimeUnit.SECONDS.toMillis(TestServer.PATIENCE_S));
            }
            for (Socket oldest : silent.subList(0, 12)) {
                assertEquals(-1, oldest.getInputStream().read());
            }
            assertEquals(12, server.stats().refused(Refusal.PENDING_FULL));
            for (int i = 0; i < 3; i++) {
                assertEquals(200, get(client, server.port(), "/health/live").statusCode());
            }
            assertEquals(13, server.stats().refused(Refusal.PENDING_FULL), "one connection, as it was kept alive");
            assertEquals(0, silent.getLast().getInputStream().available());
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    /** Half a handshake, and none, are bounded in time; others do not notice. */
    @Test
    void shouldGiveUpHandshakesThatDoNotEnd() throws Exception {
        HttpLimits http = config().http();
        TransportConfig impatient = config().withLimits(
                new HttpLimits(http.maxPending(), http.maxPendingPerAddress(), http.maxIdle(), Duration.ofMillis(100),
                http.idleTimeout()), config().sockets());
        try (TestServer server = new TestServer(impatient);
                Socket silent = new Socket(InetAddress.getLoopbackAddress(), server.port());
                Socket half = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            half.getOutputStream().write(new byte[] {0x16, 3, 1, 1, 0, 1});
            assertEquals(-1, silent.getInputStream().read());
            assertEquals(-1, half.getInputStream().read());
        }
    }

    /** An answer of the bounds, which are in front of the codec, is behind TLS all the same. */
    @Test
    void shouldTellSlowRequestsWhyTheyEnd() throws Exception {
        ManualClock clock = new ManualClock();
        try (TestServer server = new TestServer(config(), clock);
                SSLSocket slow = (SSLSocket) trust.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), server.port())) {
            slow.setSoTimeout((int) TimeUnit.SECONDS.toMillis(TestServer.PATIENCE_S));
            slow.getOutputStream().write("GET /".getBytes(StandardCharsets.US_ASCII));
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(TestServer.PATIENCE_S);
            while (server.stats().pendingRequests() == 0) {
                assertTrue(System.nanoTime() < deadlineNs, () -> "the request was not seen: " + server.stats());
                Thread.onSpinWait();
            }
            clock.advance(config().http().requestTimeout());
            String answer = new String(slow.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertTrue(answer.startsWith("HTTP/1.1 408 "), answer);
            assertTrue(answer.contains("\"code\":\"request_timeout\""), answer);
        }
    }

    /** Who speaks without TLS learns nothing, and who does not trust the certificate neither. */
    @Test
    void shouldSpeakToNobodyWithoutTls() throws Exception {
        try (TestServer server = new TestServer(config()); RawHttp plain = new RawHttp(server.port());
                HttpClient stranger = HttpClient.newBuilder().sslContext(TestCertificate.trusting(second)).build()) {
            plain.send("GET /health/live HTTP/1.1\nHost: localhost\n\n");
            assertTrue(plain.atEnd());
            assertThrows(SSLException.class, () -> get(stranger, server.port(), "/health/live"));
        }
    }
}

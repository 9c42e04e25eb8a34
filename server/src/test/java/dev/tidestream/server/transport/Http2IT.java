package dev.tidestream.server.transport;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientConnection;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnectOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.HostAndPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.HttpLimits;
import dev.tidestream.server.transport.tls.TestCertificate;
import dev.tidestream.server.transport.tls.TlsFiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The bounds of requests, over HTTP/2. Time passes when the test says so. */
@ExtendWith(NettyLeakCheck.class)
class Http2IT {
    private static final String LONG = "{\"model\":\"m/1\",\"prompt\":\"long\",\"max_tokens\":1000000,\"stream\":true}";

    @TempDir
    static Path shared;
    private static TlsFiles files;

    private final ManualClock clock = new ManualClock();
    private final Vertx vertx = Vertx.vertx();
    private HttpClientAgent client;

    @BeforeAll
    static void make() throws Exception {
        files = TestCertificate.make(shared, "h2", "EC").write(shared);
    }

    @BeforeEach
    void open() {
        client = vertx.createHttpClient(new HttpClientOptions().setSsl(true).setTrustAll(true).setVerifyHost(false)
                .setUseAlpn(true)
                .setProtocolVersion(HttpVersion.HTTP_2));
    }

    @AfterEach
    void close() throws Exception {
        await(vertx.close());
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
    }

    private static TransportConfig config() {
        HttpLimits http = TestServer.CONFIG.http();
        return TestServer.CONFIG.withTls(files).withLimits(
                new HttpLimits(http.maxPending(), http.maxPendingPerAddress(), 2, Duration.ofSeconds(10),
                Duration.ofSeconds(60), 1000, http.answers()),
                TestServer.CONFIG.sockets());
    }

    private HttpClientConnection connect(TestServer server) throws Exception {
        return await(client.connect(new HttpConnectOptions().setHost("localhost").setPort(server.port()).setSsl(true)));
    }

    /** Until the probe says so, over connections of HTTP/1 that are of this one request. */
    private void awaitStopping(int port) throws Exception {
        HttpClientAgent plain = vertx.createHttpClient(new HttpClientOptions().setSsl(true).setTrustAll(true).setVerifyHost(false)
                .setKeepAlive(false));
        int status;
        do {
            status = await(plain.request(HttpMethod.GET, port, "localhost", "/health/ready")
                    .compose(HttpClientRequest::send).map(HttpClientResponse::statusCode));
        } while (status == 200);
        assertEquals(503, status);
    }

    private static HttpClientRequest request(HttpClientConnection connection, HttpMethod method, String path) throws Exception {
        return await(connection.request(new RequestOptions().setMethod(method).setURI(path)));
    }

    private static int live(HttpClientConnection connection) throws Exception {
        return await(request(connection, HttpMethod.GET, "/health/live").send().map(HttpClientResponse::statusCode));
    }

    private static Future<String> statusAndBody(HttpClientResponse response) {
        return response.body().map(body -> response.statusCode() + " " + response.getHeader("Retry-After") + " " + body);
    }

    private static HttpClientResponse paused(HttpClientRequest request, String body) throws Exception {
        CompletableFuture<HttpClientResponse> head = new CompletableFuture<>();
        request.response().onComplete(got -> {
            if (got.succeeded()) {
                got.result().pause();
                head.complete(got.result());
            } else {
                head.completeExceptionally(got.cause());
            }
        });
        await(request.end(Buffer.buffer(body)));
        return head.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void shouldTellItsBounds() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            assertEquals(200, live(connection));
            Http2Settings settings = connection.remoteSettings();
            assertEquals(config().maxStreams(), settings.getMaxConcurrentStreams());
            assertEquals(8192, settings.getMaxHeaderListSize());
        }
    }

    /** Who reads nothing has no tokens computed, and holds up no other request of the same connection. */
    @Test
    void shouldCarryDemandToTheScheduler() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            HttpClientResponse deaf = paused(request(connection, HttpMethod.POST, "/v1/completions"), LONG);
            server.engine.await(() -> server.engine.emitted.get() > 10 && server.engine.allStalled());
            assertEquals(200, live(connection));
            long stalledAt = server.engine.emitted.get();
            assertTrue(stalledAt < 1000, "tokens=" + stalledAt);
            deaf.handler(piece -> {});
            deaf.resume();
            server.engine.await(() -> server.engine.emitted.get() > stalledAt + 100);
            await(deaf.request().reset(8));
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    @Test
    void shouldCancelWhatIsReset() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            HttpClientRequest request = request(connection, HttpMethod.POST, "/v1/completions");
            paused(request, LONG);
            await(request.reset(8));
            server.engine.await(() -> server.engine.cancelled.get() == 1 && server.engine.running() == 0);
            assertEquals(200, live(connection));
        }
    }

    /** Each request has its own time; others of the connection go on. */
    @Test
    void shouldBoundTheTimeOfARequest() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            HttpClientRequest slow = request(connection, HttpMethod.POST, "/v1/completions");
            slow.setChunked(true);
            CompletableFuture<Throwable> reset = new CompletableFuture<>();
            slow.exceptionHandler(reset::complete);
            Future<Integer> status = slow.response().map(HttpClientResponse::statusCode);
            await(slow.write("{\"model\""));
            assertEquals(200, live(connection));
            assertEquals(1, server.stats().pendingRequests());
            clock.advance(Duration.ofSeconds(9));
            assertEquals(200, live(connection));
            assertFalse(status.isComplete());
            clock.advance(Duration.ofSeconds(1));
            assertEquals(408, await(status));
            assertEquals(200, live(connection));
            assertEquals(0, server.stats().pendingRequests());
            assertEquals(1, server.stats().refused(Refusal.REQUEST_TIMEOUT));
            assertEquals(0, server.stats().assemblyBytes());
        }
    }

    @Test
    void shouldCloseConnectionsThatAskNothing() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection idle = connect(server);
            CompletableFuture<Void> closed = new CompletableFuture<>();
            idle.closeHandler(closed::complete);
            assertEquals(200, live(idle));
            clock.advance(Duration.ofSeconds(59));
            assertFalse(closed.isDone());
            clock.advance(Duration.ofSeconds(1));
            closed.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }

    /** The one that was idle longest gives its place. */
    @Test
    void shouldBoundIdleConnections() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection first = connect(server);
            CompletableFuture<Void> closed = new CompletableFuture<>();
            first.closeHandler(closed::complete);
            assertEquals(200, live(first));
            assertEquals(200, live(connect(server)));
            assertEquals(200, live(connect(server)));
            closed.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(1, server.stats().refused(Refusal.IDLE_FULL));
        }
    }

    @Test
    void shouldRefuseBodiesThatAreTooLarge() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            HttpClientRequest large = request(connection, HttpMethod.POST, "/v1/completions");
            assertEquals(413, await(large.send(Buffer.buffer("x".repeat(1001))).map(HttpClientResponse::statusCode)));
            assertEquals(200, live(connection));
        }
    }

    @Test
    void shouldRefuseForeignAuthoritiesAndWebSockets() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            HttpClientRequest foreign = request(connection, HttpMethod.GET, "/v1/models");
            foreign.authority(HostAndPort.create("evil.example", 443));
            assertEquals(403, await(foreign.send().map(HttpClientResponse::statusCode)));
            String answer = await(request(connection, HttpMethod.GET, "/v1/stream").send().compose(Http2IT::statusAndBody));
            assertTrue(answer.startsWith("400 "), answer);
            assertTrue(answer.contains("\"code\":\"bad_handshake\""), answer);
            assertEquals(200, live(connection));
        }
    }

    /** Requests that are reset as fast as they come (CVE-2023-44487) end the connection; others do not notice. */
    @Test
    void shouldEndConnectionsThatResetWithoutEnd() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection flood = connect(server);
            CompletableFuture<Void> closed = new CompletableFuture<>();
            flood.closeHandler(closed::complete);
            for (int i = 0; i < 1000 && !closed.isDone(); i++) {
                HttpClientRequest request;
                try {
                    request = request(flood, HttpMethod.POST, "/v1/completions");
                } catch (Exception e) {
                    break; // it has been ended
                }
                request.response().onFailure(e -> {});
                request.exceptionHandler(e -> {});
                request.setChunked(true);
                request.write("{").onFailure(e -> {});
                request.reset(8).onFailure(e -> {});
            }
            closed.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(200, live(connect(server)));
            assertEquals(0, server.stats().pendingRequests());
            assertEquals(0, server.stats().assemblyBytes());
        }
    }

    /** No more requests at once than the settings say. */
    @Test
    void shouldKeepToTheStreamsOfAConnection() throws Exception {
        TransportConfig few = config().withMaxStreams(2);
        try (TestServer server = new TestServer(few, clock)) {
            HttpClientConnection connection = connect(server);
            List<HttpClientRequest> open = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                open.add(request(connection, HttpMethod.POST, "/v1/completions"));
                open.get(i).response().onFailure(e -> {}); // it will be reset
                await(open.get(i).end(Buffer.buffer(LONG.replace("long", "hold"))));
            }
            server.engine.await(() -> server.engine.running() == 2);
            Future<HttpClientRequest> third = connection.request(new RequestOptions().setMethod(HttpMethod.GET)
                    .setURI("/health/live"));
            assertFalse(third.isComplete(), "the client knows the bound");
            await(open.getFirst().reset(8));
            assertEquals(200, await(await(third).send().map(HttpClientResponse::statusCode)));
            await(open.getLast().reset(8));
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    /** A stream may finish, or is told why it cannot; the connection takes nothing new and ends with it. */
    @Test
    void shouldDrain() throws Exception {
        try (TestServer server = new TestServer(config(), clock)) {
            HttpClientConnection connection = connect(server);
            CompletableFuture<Void> closed = new CompletableFuture<>();
            connection.closeHandler(closed::complete);
            HttpClientRequest request = request(connection, HttpMethod.POST, "/v1/completions");
            Future<String> answer = request.response().compose(Http2IT::statusAndBody);
            await(request.end(Buffer.buffer(LONG.replace("long", "hold"))));
            server.engine.await(() -> server.engine.running() == 1);
            Future<Void> stopped = server.stop();
            awaitStopping(server.port()); // a request that crosses its GOAWAY is not answered (RFC 9113, 6.8)
            HttpClientConnection late = connect(server);
            String refused = await(request(late, HttpMethod.POST, "/v1/completions").send(LONG).compose(Http2IT::statusAndBody));
            assertTrue(refused.startsWith("503 5 "), refused);
            assertTrue(refused.contains("\"code\":\"shutting_down\""), refused);
            assertFalse(answer.isComplete());
            clock.advance(config().shutdownGrace());
            String told = await(answer);
            assertTrue(told.contains("\"code\":\"shutting_down\""), told);
            await(stopped);
            closed.get(TestServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }
}

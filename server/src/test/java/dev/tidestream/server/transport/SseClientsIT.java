package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients of server-sent events that leave, or do not read; and a server that stops. */
@ExtendWith(NettyLeakCheck.class)
class SseClientsIT {
    private static final int FOREVER = 100_000_000;
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static String request(String prompt, int n, int maxTokens, boolean stream) {
        String body = "{\"prompt\":\"%s\",\"n\":%d,\"max_tokens\":%s,\"stream\":%s}".formatted(prompt, n, maxTokens, stream);
        return "POST /v1/completions HTTP/1.1\nHost: localhost\nContent-Length: " + body.length() + "\n\n" + body;
    }

    /** In the queue or in prefill (nothing comes before the first token), decoding; streamed and whole; with one choice and with four. */
    @ParameterizedTest
    @CsvSource({"hold,1,true", "hold,4,true", "hold,4,false", "prefill,4,true", "go on,1,true", "go on,4,true", "go on,4,false"})
    void shouldCancelEverythingForAClientThatLeaves(String prompt, int n, boolean stream) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            http.send(request(prompt, n, FOREVER, stream));
            server.engine.await(() -> server.engine.running() == n && server.engine.emitted.get() >= (prompt.equals("hold") ? n : 8 * n));
        }
        server.engine.await(() -> server.engine.running() == 0);
        assertEquals(n, server.engine.cancelled.get());
    }

    @Test
    void shouldAskForNoMoreThanASocketTakes() throws Exception {
        try (RawHttp idle = new RawHttp(server.port()); HttpClient client = HttpClient.newHttpClient()) {
            idle.send(request("long", 2, FOREVER, true));
            // frames of 1 kB: what the sockets hold, and a window
            server.engine.await(() -> server.engine.emitted.get() > 100 && server.engine.allStalled());
            HttpResponse<String> healthy = client.send(
                    HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + "/v1/completions"))
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    "{\"prompt\":\"count\",\"max_tokens\":1000,\"stream\":true}")).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertTrue(healthy.body().endsWith("data: [DONE]\n\n"));
            assertTrue(healthy.body().contains("w999"));
            assertTrue(server.engine.emitted.get() < 20_000, "emitted=" + server.engine.emitted);
            assertEquals(2, server.engine.running());
        }
        server.engine.await(() -> server.engine.running() == 0);
    }

    @Test
    void shouldTellThatItStops() throws Exception {
        TransportConfig hasty = TestServer.CONFIG.withShutdownGrace(Duration.ofMillis(10));
        try (TestServer stopping = new TestServer(hasty); RawHttp streamed = new RawHttp(stopping.port());
                RawHttp whole = new RawHttp(stopping.port())) {
            streamed.send(request("prefill", 1, 1, true)).answerChunked();
            streamed.send(request("hold", 1, 1, true));
            whole.send(request("hold", 2, 1, false));
            stopping.engine.await(() -> stopping.engine.running() == 3);
            Future<Void> stopped = stopping.stop();
            RawHttp.Answer refused = whole.answer();
            assertEquals(503, refused.status());
            assertTrue(refused.body().contains("\"code\":\"shutting_down\""), refused.body());
            RawHttp.Answer told = streamed.answer();
            assertEquals(503, told.status(), "nothing had been sent of it");
            stopped.await(TestServer.PATIENCE_S, TimeUnit.SECONDS);
            assertEquals(0, stopping.engine.running());
        }
    }
}

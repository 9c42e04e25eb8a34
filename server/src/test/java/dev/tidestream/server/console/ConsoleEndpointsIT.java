package dev.tidestream.server.console;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.transport.AccessRules;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How the files are sent: with what headers, when again, and to whom. */
class ConsoleEndpointsIT {
    private static final Path SOURCES = Path.of("src/main/resources/console");
    private static FluentServer server;

    @BeforeAll
    static void start() throws Exception {
        server = new FluentServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static HttpResponse<byte[]> ask(String method, String path, String... headers) throws IOException, InterruptedException {
        return ask(server.port(), method, path, headers);
    }

    private static HttpResponse<byte[]> ask(int port, String method, String path, String... headers)
            throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                    .method(method, HttpRequest.BodyPublishers.noBody());
            if (headers.length > 0) {
                request.headers(headers);
            }
            return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    @Test
    void shouldSendEveryFileThereIs() throws Exception {
        try (Stream<Path> files = Files.list(SOURCES)) {
            assertEquals(ConsoleEndpoints.NAMES.stream().sorted().toList(), files.map(f -> f.getFileName().toString()).sorted().toList());
        }
        for (String name : ConsoleEndpoints.NAMES) {
            HttpResponse<byte[]> answer = ask("GET", "/console/" + name);
            assertEquals(200, answer.statusCode(), name);
            assertArrayEquals(Files.readAllBytes(SOURCES.resolve(name)), answer.body(), name);
        }
        assertArrayEquals(ask("GET", "/console/index.html").body(), ask("GET", "/").body());
    }

    @Test
    void shouldSayWhatABrowserMayDo() throws Exception {
        for (String path : List.of("/", "/console/app.js", "/console/style.css")) {
            HttpResponse<byte[]> answer = ask("GET", path);
            assertEquals(Optional.of(StaticFile.POLICY), answer.headers().firstValue("content-security-policy"), path);
            assertEquals(Optional.of("nosniff"), answer.headers().firstValue("x-content-type-options"), path);
            assertEquals(Optional.of("no-referrer"), answer.headers().firstValue("referrer-policy"), path);
        }
        assertEquals(Optional.of("text/html; charset=utf-8"), ask("GET", "/").headers().firstValue("content-type"));
        assertEquals(Optional.of("text/javascript; charset=utf-8"), ask("GET", "/console/app.js").headers().firstValue("content-type"));
        assertTrue(StaticFile.POLICY.startsWith("default-src 'none'") && !StaticFile.POLICY.contains("unsafe"));
    }

    @Test
    void shouldSendNothingThatABrowserHas() throws Exception {
        HttpResponse<byte[]> first = ask("GET", "/");
        String etag = first.headers().firstValue("etag").orElseThrow();
        assertEquals(Optional.of("no-cache"), first.headers().firstValue("cache-control"));
        for (String condition : List.of(etag, "\"other\", W/" + etag, "*")) {
            HttpResponse<byte[]> again = ask("GET", "/", "If-None-Match", condition);
            assertEquals(304, again.statusCode(), condition);
            assertEquals(0, again.body().length);
            assertEquals(Optional.of(etag), again.headers().firstValue("etag"));
        }
        assertEquals(200, ask("GET", "/", "If-None-Match", "\"other\"").statusCode());
        assertFalse(etag.equals(ask("GET", "/console/app.js").headers().firstValue("etag").orElseThrow()));
        HttpResponse<byte[]> head = ask("HEAD", "/");
        assertEquals(Optional.of(Integer.toString(first.body().length)), head.headers().firstValue("content-length"));
        assertEquals(0, head.body().length);
    }

    @Test
    void shouldAnswerNothingElse() throws Exception {
        for (String path : List.of("/console/", "/console/none.js", "/console/%2e%2e/logback.xml", "/console/..%2flogback.xml",
                "/console/%ff", "/console")) {
            assertEquals(404, ask("GET", path).statusCode(), path);
        }
        assertEquals(405, ask("POST", "/").statusCode());
        assertEquals(403, ask("GET", "/", "Origin", "https://page.example").statusCode(), "of a page elsewhere");
    }

    @Test
    void shouldNotBeThereIfSwitchedOff() throws Exception {
        ServerConfig config = ServerConfig.DEFAULT.withPort(0).withEngine(EngineConfig.DEFAULT.withKvMemoryBytes(32L << 20));
        try (TidestreamServer off = TidestreamServer.listen(
                config.withTransport(config.transport().withAccess(AccessRules.OWN.withConsole(false))), StartListener.NONE)) {
            assertEquals(404, ask(off.port(), "GET", "/").statusCode());
            assertEquals(404, ask(off.port(), "GET", "/console/app.js").statusCode());
            assertEquals(200, ask(off.port(), "GET", "/v1/models").statusCode());
        }
    }
}

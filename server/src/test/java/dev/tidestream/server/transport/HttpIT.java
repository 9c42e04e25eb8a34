package dev.tidestream.server.transport;

import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.transport.common.Refusal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What is a request and what is not, who may ask, and that every answer is one that a program can read. */
@ExtendWith(NettyLeakCheck.class)
class HttpIT {
    private static final String UPGRADE = """
            Upgrade: websocket
            Connection: keep-alive, Upgrade
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            Sec-WebSocket-Protocol: tidestream.v1
            """;

    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = new TestServer();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static RawHttp.Answer ask(String request) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            return http.send(request).answer();
        }
    }

    private static void refused(RawHttp.Answer answer, int status, String code, String message) {
        assertEquals(status, answer.status(), answer.toString());
        assertTrue(answer.head().contains("content-type: application/json\r\n"), answer.head());
        assertTrue(answer.body().startsWith("{\"error\":{\"message\":\""), answer.body());
        assertTrue(answer.body().endsWith("\",\"type\":\"" + (status == 403 ? "permission_error" : "invalid_request_error")
                + "\",\"param\":null,\"code\":\"" + code + "\"}}\n"), answer.body());
        assertTrue(answer.body().contains(message), answer.body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health/live", "/health/ready", "/v1/models", "/metrics", "/nowhere", "/v1/stream"})
    void shouldAnswerHeadAsGetWithoutTheBody(String path) throws Exception {
        RawHttp.Answer get = ask("GET " + path + " HTTP/1.1\nHost: localhost\n\n");
        try (RawHttp http = new RawHttp(server.port())) {
            RawHttp.Answer head = http.send("HEAD " + path + " HTTP/1.1\nHost: localhost\n\n").answer(false);
            assertEquals(get.head(), head.head());
            assertEquals("{\"status\":\"live\"}\n",
                    http.send("GET /health/live HTTP/1.1\nHost: localhost\n\n").answer().body(), "the connection goes on");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // request, \ for an end of line | status | code | message
        "GET /health/live HTTP/1.1\\\\|400|bad_request|no Host",
        "GET /health/live HTTP/1.1\\Host: a\\Host: a\\\\|400|bad_request|more than one Host",
        "GET /health/live HTTP/1.1\\Host: \\\\|400|bad_request|not a host",
        "GET /health/live HTTP/1.1\\Host: a b\\\\|400|bad_request|not a host",
        "GET /health/live HTTP/1.1\\Host: user@a\\\\|400|bad_request|not a host",
        "GET /health/live HTTP/1.1\\Host: a\\Content-Length: 1\\Transfer-Encoding: chunked\\\\|400|bad_request|Content-Length and",
        "POST /v1/models HTTP/1.1\\Host: localhost\\Transfer-Encoding: chunked\\Content-Length: 4\\\\0\\\\|400|bad_request|Content-L",
        "GET /health/live HTTP/1.1\\Host: a\\Content-Length: 1\\Content-Length: 2\\\\|400|bad_request|error",
        "GET /health/live HTTP/1.1\\Host: a\\Content-Length: 1\\Content-Length: 1\\\\|400|bad_request|error",
        "GET /health/live HTTP/1.1\\Host: a\\Content-Length: -1\\\\|400|bad_request|error",
        "GET /health/live HTTP/1.1\\Host: a\\Content-Length: x\\\\|400|bad_request|error",
        "GET /health/live HTTP/1.1\\Host: a\\Transfer-Encoding: gzip\\\\|400|bad_request|the only Transfer-Encoding",
        "GET /health/live HTTP/1.1\\Host: a\\Transfer-Encoding: gzip, chunked\\\\|400|bad_request|the only Transfer-Encoding",
        "GET /health/live HTTP/1.0\\Transfer-Encoding: chunked\\\\|400|bad_request|the only Transfer-Encoding",
        "GET /health/live HTTP/1.1\\Host : a\\\\|400|bad_request|error",
        "GET /health/live HTTP/1.1\\No colon\\\\|400|bad_request|No colon",
        "GET /health/live HTTP/3.7\\Host: a\\\\|400|bad_request|unsupported version: HTTP/3.7",
        "GET /health/live\\Host: a\\\\|400|bad_request|error",
        "nonsense\\\\|400|bad_request|error",
    })
    void shouldRefuseWhatIsNoRequestAndClose(String request, int status, String code, String message) throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            RawHttp.Answer answer = http.send(request.replace('\\', '\n')).answer();
            refused(answer, status, code, message);
            assertTrue(answer.head().contains("connection: close\r\n"), answer.head());
            assertTrue(http.atEnd());
        }
    }

    @Test
    void shouldRefuseHeadsThatAreTooLarge() throws Exception {
        refused(ask("GET /" + "x".repeat(5000) + " HTTP/1.1\nHost: a\n\n"), 414, "uri_too_long", "too long");
        refused(ask("GET / HTTP/1.1\nHost: a\nX: " + "x".repeat(9000) + "\n\n"), 431, "headers_too_large", "too large");
    }

    @Test
    void shouldTakeOldVersionsAndAbsoluteTargets() throws Exception {
        assertEquals(200, ask("GET /health/live HTTP/1.0\n\n").status());
        assertEquals(200, ask("GET http://localhost:1/v1/models HTTP/1.1\nHost: localhost\n\n").status());
        refused(ask("GET http://evil.example/v1/models HTTP/1.1\nHost: localhost\n\n"), 403, "foreign_host", "evil.example");
    }

    @Test
    void shouldNameWhatIsAllowed() throws Exception {
        for (String path : List.of("/health/live", "/v1/models", "/v1/stream")) {
            for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")) {
                RawHttp.Answer answer = ask(method + " " + path + " HTTP/1.1\nHost: localhost\nContent-Length: 2\n\n{}");
                refused(answer, 405, "method_not_allowed", "method=" + method);
                assertTrue(answer.head().contains("allow: get, head\r\n"), answer.head());
            }
        }
        refused(ask("GET /v1/nowhere HTTP/1.1\nHost: localhost\n\n"), 404, "not_found", "/v1/nowhere");
    }

    /** A body that nobody asked for is read and thrown away; the connection goes on behind it. */
    @Test
    void shouldGoOnBehindABody() throws Exception {
        try (RawHttp http = new RawHttp(server.port())) {
            http.send("POST /v1/models HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n");
            assertEquals(405, http.answer().status());
            assertEquals(200, http.send("GET /health/live HTTP/1.1\nHost: localhost\n\n").answer().status());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        // what to replace | by | status | code
        "Upgrade: websocket|Upgrade: h2c|426|upgrade_required",
        "Connection: keep-alive, Upgrade|Connection: keep-alive|400|bad_handshake",
        "Sec-WebSocket-Version: 13|Sec-WebSocket-Version: 8|426|unsupported_version",
        "Sec-WebSocket-Version: 13|X: y|426|unsupported_version",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|X: y|400|bad_handshake",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Key: c2hvcnQ=|400|bad_handshake",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Key: !|400|bad_handshake",
        "Sec-WebSocket-Protocol: tidestream.v1|Sec-WebSocket-Protocol: chat|400|unsupported_subprotocol",
    })
    void shouldSayWhatIsWrongWithAHandshake(String what, String by, int status, String code) throws Exception {
        String request = "GET /v1/stream HTTP/1.1\nHost: localhost\n" + UPGRADE + "\n";
        assertTrue(request.contains(what));
        RawHttp.Answer answer = ask(request.replace(what, by));
        refused(answer, status, code, "");
        assertEquals(code.equals("unsupported_version"), answer.head().contains("sec-websocket-version: 13\r\n"), answer.head());
    }

    /** The example of RFC 6455, section 1.3. */
    @Test
    void shouldProveThatItSpeaksWebSocket() throws Exception {
        try (RawSocket raw = new RawSocket(server.port())) {
            assertTrue(raw.response.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), raw.response);
            assertTrue(raw.response.contains("connection: Upgrade\r\n"), raw.response);
        }
    }

    // ---- hosts and origins; what the rules are in detail says HostPolicyTest

    private static RawHttp.Answer upgrade(int port, String host, String more) throws Exception {
        try (RawHttp http = new RawHttp(port)) {
            return http.send("GET /v1/stream HTTP/1.1\nHost: " + host + "\n" + more + UPGRADE + "\n").answer();
        }
    }

    @Test
    void shouldRefusePagesOfOtherOrigins() throws Exception {
        long before = server.stats().refused(Refusal.FOREIGN_ORIGIN);
        refused(upgrade(server.port(), "localhost", "Origin: http://evil.example\n"), 403, "foreign_origin",
                "http://evil.example");
        refused(upgrade(server.port(), "localhost", "Origin: null\n"), 403, "foreign_origin", "null");
        refused(upgrade(server.port(), "localhost", "Origin: http://localhost\nOrigin: http://localhost\n"), 403,
                "foreign_origin", "--allow-origin");
        assertEquals(101, upgrade(server.port(), "localhost", "").status());
        assertEquals(101, upgrade(server.port(), "localhost", "Origin: http://localhost:3000\n").status());
        refused(ask("GET /v1/models HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\n\n"), 403, "foreign_origin", "evil");
        assertEquals(before + 4, server.stats().refused(Refusal.FOREIGN_ORIGIN));
    }

    @Test
    void shouldRefuseNamesThatAreNotItsOwn() throws Exception {
        refused(upgrade(server.port(), "evil.example:8080", ""), 403, "foreign_host", "evil.example:8080 (--allow-host");
        refused(upgrade(server.port(), "evil.example", "Origin: http://evil.example\n"), 403, "foreign_host", "evil.example");
        refused(ask("GET /v1/models HTTP/1.1\nHost: evil.example\n\n"), 403, "foreign_host", "evil.example");
        for (String open : List.of("/health/live", "/health/ready")) { // probes know the address, or any name
            assertEquals(200, ask("GET " + open + " HTTP/1.1\nHost: 10.1.2.3:8080\n\n").status());
            assertEquals(200, ask("GET " + open + " HTTP/1.1\nHost: tidestream.svc\n\n").status());
        }
    }

    @Test
    void shouldTakeHostsAndOriginsThatAreAllowed() throws Exception {
        TransportConfig config = TestServer.CONFIG.withAccess(
                new AccessRules(List.of("chat.example"), List.of("https://page.example")));
        try (TestServer open = new TestServer(config);
                RawHttp one = new RawHttp(open.port());
                RawHttp two = new RawHttp(open.port())) {
            one.send("GET /v1/stream HTTP/1.1\nHost: chat.example\nOrigin: https://page.example\n" + UPGRADE + "\n");
            assertEquals(101, one.answer().status());
            two.send("GET /v1/stream HTTP/1.1\nHost: chat.example\nOrigin: https://page.example:444\n" + UPGRADE + "\n");
            assertEquals(403, two.answer().status());
            assertFalse(open.stats().refused(Refusal.FOREIGN_ORIGIN) == 0);
        }
    }
}

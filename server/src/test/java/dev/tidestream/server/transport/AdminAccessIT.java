package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminProtocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Who gets in; and whoever comes, neither answers nor logs have the token. */
@ExtendWith(NettyLeakCheck.class)
class AdminAccessIT {
    private static final String ADMIN = "GET " + AdminProtocol.PATH;
    private static final String TOKEN = AdminServer.TOKEN;
    private static final String SUBPROTOCOL = "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n";
    private static final String HEADER = "Authorization: Bearer " + TOKEN + "\r\n";

    private final List<Logger> loggers = List.of(
            (Logger) LoggerFactory.getLogger("dev.tidestream"),
            (Logger) LoggerFactory.getLogger("tidestream"),
            (Logger) LoggerFactory.getLogger("io.netty"),
            (Logger) LoggerFactory.getLogger("io.vertx"));
    private final List<@Nullable Level> levels = new ArrayList<>(); // of these, before
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private AdminServer server;

    @BeforeEach
    void start() throws Exception {
        logged.start();
        for (Logger logger : loggers) {
            levels.add(logger.getLevel());
            logger.setLevel(Level.TRACE);
            logger.setAdditive(false); // to the list, not to the console
            logger.addAppender(logged);
        }
        server = new AdminServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        for (int i = 0; i < loggers.size(); i++) {
            loggers.get(i).setLevel(levels.get(i));
            loggers.get(i).setAdditive(true);
            loggers.get(i).detachAppender(logged);
        }
        List<ILoggingEvent> events;
        synchronized (logged) { // as it does itself when it appends: a thread that ends may have something to say yet
            events = List.copyOf(logged.list);
        }
        assertFalse(events.isEmpty());
        for (ILoggingEvent event : events) {
            String line = event.getFormattedMessage()
                    + (event.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(event.getThrowableProxy()));
            assertFalse(line.contains(TOKEN), line);
        }
    }

    @Test
    void shouldLetInWithTheHeaderOrTheSubprotocol() throws Exception {
        try (AdminClient header = server.client();
                AdminClient first = new AdminClient(server.port(), "bearer." + TOKEN, AdminProtocol.SUBPROTOCOL);
                AdminClient second = new AdminClient(server.port(), AdminProtocol.SUBPROTOCOL, "bearer." + TOKEN)) {
            for (AdminClient client : List.of(header, first, second)) {
                assertEquals(AdminProtocol.SUBPROTOCOL, client.subprotocol());
                client.barrier("b");
            }
        }
        for (String headers : List.of(
                HEADER + "Sec-WebSocket-Protocol: tidestream.v1, tidestream.admin.v1\r\n",
                "authorization: bEARER  " + TOKEN + "\r\n" + SUBPROTOCOL,
                HEADER + "Sec-WebSocket-Protocol: tidestream.admin.v1, bearer.something-else-entirely\r\n",
                SUBPROTOCOL + "Sec-WebSocket-Protocol: bearer." + TOKEN + "\r\n")) {
            try (RawSocket raw = new RawSocket(server.port(), ADMIN, headers)) {
                assertTrue(raw.response.startsWith("HTTP/1.1 101"), raw.response);
                String response = raw.response.toLowerCase(Locale.ROOT);
                assertTrue(response.contains("sec-websocket-protocol: tidestream.admin.v1\r\n"), raw.response);
                assertFalse(response.contains("bearer"), raw.response);
            }
        }
    }

    @Test
    void shouldRefuseWithoutTheTokenBeforeAnythingElse() throws Exception {
        for (String shown : List.of(
                "",
                "Authorization: Bearer \r\n",
                "Authorization: Bearer\r\n",
                "Authorization: Bearer wrong-token-of-any-length\r\n",
                "Authorization: Bearer " + TOKEN.substring(1) + "\r\n",
                "Authorization: Bearer " + TOKEN + "x\r\n",
                "Authorization: Bearer " + TOKEN.toUpperCase(Locale.ROOT) + "\r\n",
                "Authorization: Bearer " + TOKEN + " " + TOKEN + "\r\n",
                "Authorization: Basic " + TOKEN + "\r\n",
                "Authorization: " + TOKEN + "\r\n",
                HEADER + HEADER,
                "Authorization: Bearer wrong\r\nSec-WebSocket-Protocol: bearer." + TOKEN + "\r\n",
                "Sec-WebSocket-Protocol: bearer.wrong-token-of-any-length\r\n",
                "Sec-WebSocket-Protocol: bearer.\r\n",
                "Sec-WebSocket-Protocol: BEARER." + TOKEN + "\r\n",
                "Sec-WebSocket-Protocol: " + TOKEN + "\r\n",
                "Sec-WebSocket-Protocol: bearer." + TOKEN + ", bearer." + TOKEN + "\r\n")) {
            for (String target : List.of(ADMIN, "POST " + AdminProtocol.PATH)) {
                for (String subprotocol : List.of(SUBPROTOCOL, "Sec-WebSocket-Protocol: chat\r\n")) {
                    try (RawSocket raw = new RawSocket(server.port(), target, shown + subprotocol)) {
                        assertTrue(raw.response.startsWith("HTTP/1.1 401"), shown + raw.response);
                        assertTrue(raw.response.toLowerCase(Locale.ROOT).contains("www-authenticate: bearer\r\n"), raw.response);
                        assertEquals(
                                "{\"error\":{\"message\":\"a bearer token is required, and it must be the right one\","
                                        + "\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"unauthorized\"}}\n",
                                raw.body());
                    }
                }
            }
        }
        assertEquals(List.of(), server.desk.handled);
    }

    @Test
    void shouldTellWhatElseIsWrongToWhoHasTheToken() throws Exception {
        check("POST " + AdminProtocol.PATH, HEADER + SUBPROTOCOL, "405", "method_not_allowed");
        check(ADMIN, HEADER, "400", "unsupported_subprotocol");
        check(ADMIN, "Sec-WebSocket-Protocol: bearer." + TOKEN + ", tidestream.v1\r\n", "400", "offered=[tidestream.v1]");
        check("GET /v1/stream", "Sec-WebSocket-Protocol: bearer." + TOKEN + ", chat\r\n", "400", "offered=[chat]");
        try (TestServer plain = new TestServer();
                RawSocket raw = new RawSocket(plain.port(), ADMIN, HEADER + SUBPROTOCOL)) {
            assertTrue(raw.response.startsWith("HTTP/1.1 404"), raw.response);
            assertTrue(raw.body().contains("no such path: /v1/admin"));
            assertEquals(404, plain.http("GET", AdminProtocol.PATH).statusCode());
            assertEquals(426, plain.http("GET", "/v1/stream").statusCode());
        }
    }

    private void check(String target, String headers, String status, String body) throws Exception {
        try (RawSocket raw = new RawSocket(server.port(), target, headers)) {
            assertTrue(raw.response.startsWith("HTTP/1.1 " + status), raw.response);
            String text = raw.body();
            assertTrue(text.contains(body), text);
            assertFalse(text.contains(TOKEN), text);
        }
    }

    @Test
    void shouldNotTakeTheOtherDoorsSubprotocol() throws Exception {
        String both = "Sec-WebSocket-Protocol: tidestream.admin.v1, tidestream.v1\r\n";
        try (RawSocket raw = new RawSocket(server.port(), "GET /v1/stream", both)) {
            assertTrue(raw.response.startsWith("HTTP/1.1 101"), raw.response);
            assertTrue(raw.response.toLowerCase(Locale.ROOT).contains("sec-websocket-protocol: tidestream.v1\r\n"), raw.response);
        }
    }

    @Test
    void shouldBoundConnectionsApartFromStreams() throws Exception {
        try (AdminServer small = new AdminServer(AdminServer.CONFIG, 1, 8);
                AdminClient first = small.client();
                RawSocket second = small.raw();
                RawSocket stream = new RawSocket(small.port())) {
            assertTrue(second.response.startsWith("HTTP/1.1 503"), second.response);
            assertTrue(stream.response.startsWith("HTTP/1.1 101"), stream.response);
            first.barrier("b");
        }
    }
}

package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

import io.vertx.core.net.SocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.logging.EventLog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Whoever guesses is slowed down and written down, and keeps nobody out. */
@ExtendWith(NettyLeakCheck.class)
class TokenGuardIT {
    private static final String ADMIN = "GET " + AdminProtocol.PATH;
    private static final String SUBPROTOCOL = "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n";
    private static final String RIGHT = bearer(AdminServer.TOKEN);
    private static final int BURST = 5;

    /** Of wrong tokens and of the audit log; stands still. */
    private final ManualClock clock = new ManualClock();
    private final List<TokenRefusal> counted = Collections.synchronizedList(new ArrayList<>());

    @SuppressWarnings("NullAway.Init") // before each test
    private LoggedLines logged;

    @SuppressWarnings("NullAway.Init") // before each test
    private AdminServer server;

    @BeforeEach
    void start() throws Exception {
        logged = new LoggedLines(EventLog.AUDIT);
        EventLog audit = new EventLog(EventLog.AUDIT, 1, clock::nanoTime);
        server = new AdminServer(AdminServer.CONFIG, new AdminAccess(
                AdminToken.of(AdminServer.TOKEN), 4, 8, new TokenLimit(0.5, BURST, 16), audit, counted::add), clock);
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        logged.close();
        assertFalse(logged.lines().toString().contains(AdminServer.TOKEN));
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token + "\r\n" + SUBPROTOCOL;
    }

    /** The status line and headers, and the body if there is one. */
    private String answer(String headers) throws Exception {
        try (RawSocket raw = new RawSocket(server.port(), ADMIN, headers)) {
            return raw.response.startsWith("HTTP/1.1 101") ? raw.response : raw.response + raw.body();
        }
    }

    private void assertStatus(int status, String headers) throws Exception {
        String answer = answer(headers);
        assertTrue(answer.startsWith("HTTP/1.1 " + status), answer);
    }

    @Test
    void shouldLookAtNoMoreTokensThanTheLimitSays() throws Exception {
        for (int i = 0; i < BURST; i++) {
            assertStatus(401, bearer("wrong-token-number-" + i));
        }
        for (String headers : List.of(bearer("wrong-token-number-6"), RIGHT, SUBPROTOCOL, "Sec-WebSocket-Protocol: bearer.x\r\n")) {
            String answer = answer(headers);
            assertTrue(answer.startsWith("HTTP/1.1 429"), answer);
            assertTrue(answer.toLowerCase(Locale.ROOT).contains("\r\nretry-after: 2\r\n"), answer);
            assertTrue(answer.endsWith("{\"error\":{\"message\":\"too many wrong tokens from this address,"
                    + " so none is looked at for now: retry_after_s=2\",\"type\":\"rate_limit_error\",\"param\":null,"
                    + "\"code\":\"too_many_attempts\"}}\n"), answer);
        }
        clock.advance(Duration.ofMillis(1500));
        assertTrue(answer(RIGHT).toLowerCase(Locale.ROOT).contains("\r\nretry-after: 1\r\n"), "half a second is left");
        clock.advance(Duration.ofMillis(500));
        assertStatus(101, RIGHT);
        assertEquals(List.of(), server.desk.handled);
    }

    @Test
    void shouldNotShutOutAnAddressFromWhichTheRightTokenHasCome() throws Exception {
        assertStatus(101, RIGHT);
        for (int i = 0; i < BURST; i++) {
            assertStatus(401, bearer("wrong-token-number-" + i));
        }
        for (int i = 0; i < 50; i++) {
            assertStatus(429, bearer("wrong-token-number-" + i));
        }
        assertStatus(101, RIGHT);
        assertStatus(429, bearer("wrong-token-number-0"));
    }

    @Test
    void shouldNotCountRequestsWithoutAToken() throws Exception {
        for (int i = 0; i < 3 * BURST; i++) {
            assertStatus(401, SUBPROTOCOL);
        }
        assertStatus(401, bearer("wrong-token-number-0"));
        assertStatus(101, RIGHT);
        assertEquals(3 * BURST, counted.stream().filter(TokenRefusal.MISSING::equals).count());
    }

    @Test
    void shouldCountAllAndWriteDownSome() throws Exception {
        for (int i = 0; i < 300; i++) {
            answer(bearer("wrong-token-number-" + i));
        }
        assertEquals(BURST, counted.stream().filter(TokenRefusal.WRONG::equals).count());
        assertEquals(300 - BURST, counted.stream().filter(TokenRefusal.THROTTLED::equals).count());
        List<String> lines = logged.lines();
        assertEquals(BURST + 10, lines.size(), lines.toString());
        assertTrue(lines.getFirst().matches(
                "WARN token outcome=refused reason=wrong remote=127\\.0\\.0\\.1:\\d+ token="
                + AdminToken.fingerprint("wrong-token-number-0")),
                lines.getFirst());
        assertTrue(lines.getLast().matches("WARN token outcome=refused reason=throttled remote=127\\.0\\.0\\.1:\\d+"), lines.getLast());
        clock.advance(Duration.ofSeconds(1));
        answer(bearer("wrong-token-number-300"));
        assertTrue(logged.lines().getLast().endsWith(" suppressed=285"), logged.lines().getLast());
    }

    @Test
    void shouldTakeAnIpv6NetworkForOneAddress() {
        String one = TokenGuard.address(SocketAddress.inetSocketAddress(1, "2001:db8:0:1::1"));
        assertEquals(one, TokenGuard.address(SocketAddress.inetSocketAddress(2, "2001:db8:0:1:ffff::2")));
        assertNotEquals(one, TokenGuard.address(SocketAddress.inetSocketAddress(1, "2001:db8:0:2::1")));
        assertEquals("192.0.2.1", TokenGuard.address(SocketAddress.inetSocketAddress(1, "192.0.2.1")));
        assertEquals("local", TokenGuard.address(SocketAddress.domainSocketAddress("/run/x")));
    }
}

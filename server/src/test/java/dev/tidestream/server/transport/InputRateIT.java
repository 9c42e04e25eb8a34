package dev.tidestream.server.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.HttpLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A connection that sends more than clients may, in the time of a clock that stands still until it is advanced. */
@ExtendWith(NettyLeakCheck.class)
class InputRateIT {
    private static final int MESSAGES = 40;
    private static final int MESSAGE_BYTES = 16_000;
    private static final int RATE_BYTES = 64 << 10;

    private final ManualClock clock = new ManualClock();

    @Test
    void shouldReadFromItMoreSlowlyAndFromOthersAsBefore() throws Exception {
        TransportConfig config = TestServer.CONFIG.withLimits(HttpLimits.of(16),
                new SocketLimits(1 << 20, RATE_BYTES, Duration.ofSeconds(5), Duration.ofSeconds(1)));
        byte[] large = new byte[MESSAGE_BYTES];
        Arrays.fill(large, (byte) ' ');
        try (TestServer server = new TestServer(config, clock);
                TestClient other = server.client();
                RawSocket fast = new RawSocket(server.port())) {
            CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> send(fast, large), Thread::startVirtualThread);
            for (int i = 0; server.stats().inputPauses() == 0; i++) {
                other.barrier("until" + i);
            }
            for (int i = 0; i < 20; i++) {
                other.barrier("beside" + i); // is answered
            }
            long readBytes = MESSAGE_BYTES * server.stats().refused(Refusal.MESSAGE_TOO_LARGE);
            assertTrue(readBytes <= (256 << 10) + RATE_BYTES + (64 << 10), "allowance, a second's budget and one read: bytes=" + readBytes);

            CompletableFuture<Integer> answers = CompletableFuture.supplyAsync(() -> answers(fast), Thread::startVirtualThread);
            for (int i = 0; !answers.isDone(); i++) {
                clock.advance(Duration.ofMillis(500));
                other.barrier("later" + i);
            }
            assertEquals(MESSAGES + 1, answers.get(60, TimeUnit.SECONDS), "nothing is lost");
            sent.get(60, TimeUnit.SECONDS);
        }
    }

    private static void send(RawSocket to, byte[] large) {
        try {
            for (int i = 0; i < MESSAGES; i++) {
                to.frame(0x81, large);
            }
            to.text("{\"type\":\"cancel\",\"id\":\"last\"}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int answers(RawSocket from) {
        try {
            for (int n = 1; ; n++) {
                if (from.nextText().contains("\"last\"")) {
                    return n;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

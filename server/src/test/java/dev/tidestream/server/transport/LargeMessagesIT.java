package dev.tidestream.server.transport;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** Messages that are decoded on a worker thread, and small ones right behind them in the same packet. */
@ExtendWith(NettyLeakCheck.class)
class LargeMessagesIT {
    private static final int LARGE = 60_000;
    private static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, 64 << 10, 128 << 10, 1000, 16, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));

    private static byte[] frames(String... texts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (String text : texts) {
            all.writeBytes(RawSocket.frameOf(0x81, text.getBytes(StandardCharsets.UTF_8)));
        }
        return all.toByteArray();
    }

    @Test
    void shouldKeepTheOrderOfMessages() throws Exception {
        String large = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"hold\",\"max_tokens\":1" + " ".repeat(LARGE) + "}";
        try (TestServer server = new TestServer(CONFIG); RawSocket raw = new RawSocket(server.port())) {
            raw.bytes(frames(large, "{\"type\":\"cancel\",\"id\":\"a\"}", "{\"type\":\"cancel\",\"id\":\"ghost\"}"));
            String first = raw.nextText();
            String second = raw.nextText();
            String third = raw.nextText();
            String all = first + second + third;
            assertTrue(all.contains("accepted") && all.contains("cancelled"), all);
            assertTrue(all.contains("ghost") && all.split("unknown_id", -1).length == 2,
                    "the stream was known when it was cancelled: " + all);
        }
    }

    @Test
    void shouldRefuseALargeMessageByItsIdAndGoOn() throws Exception {
        String broken = "{\"type\":\"generate\",\"id\":\"b\",\"prompt\":\"x\",\"max_tokens\":-1" + " ".repeat(LARGE) + "}";
        try (TestServer server = new TestServer(CONFIG); RawSocket raw = new RawSocket(server.port())) {
            raw.bytes(frames(broken, "{\"type\":\"cancel\",\"id\":\"ghost\"}"));
            String refusal = raw.nextText();
            assertTrue(refusal.contains("\"id\":\"b\"") && refusal.contains("max_tokens"), refusal);
            assertTrue(raw.nextText().contains("ghost"), "the connection goes on");
        }
    }
}

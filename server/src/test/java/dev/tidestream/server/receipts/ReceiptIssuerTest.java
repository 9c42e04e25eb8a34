package dev.tidestream.server.receipts;

import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ReceiptIssuerTest {
    private final CompletableFuture<Object> read = new CompletableFuture<>();

    /** What is issued on an event loop must not wait there for a file to be read. */
    @Test
    void shouldFailRatherThanWait() throws Exception {
        ServedContent content = new ServedContent() {
            @Override
            public CompletableFuture<?> ready() {
                return read;
            }

            @Override
            public Receipt.Model model() {
                assertEquals("read", read.join());
                return new Receipt.Model("m", "file", "prompts");
            }

            @Override
            public Map<String, String> precision() {
                return Map.of();
            }

            @Override
            public String updatesSha256(long weightsVersion) {
                return "u";
            }
        };
        ReceiptIssuer issuer = new ReceiptIssuer(SigningKey.generate(), content, "s", InstantSource.fixed(Instant.EPOCH));
        TokenEvent.Finish finish = new TokenEvent.Finish(
                FinishReason.LENGTH, new Usage(1, 1), new Timing(0, 0, 0, 0), new RandomReceipts(1).next().evidence());
        assertThrows(IllegalStateException.class, () -> issuer.issue(finish, ""));
        read.complete("read");
        assertEquals("m", SignedReceipt.parse(issuer.issue(finish, "")).receipt().model().name());
    }
}

package dev.tidestream.server.transport.http;

import java.nio.charset.StandardCharsets;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OutputWatchTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final OutputWatch watch = new OutputWatch(channel);

    @SuppressWarnings("FutureReturnValueIgnored") // it is written when it is flushed
    private void write(int bytes) {
        channel.write(Unpooled.copiedBuffer("x".repeat(bytes), StandardCharsets.US_ASCII));
    }

    @Test
    void shouldCountFromWhenSomethingWaitsAndNothingChanges() {
        assertTrue(watch.isFlushed());
        assertEquals(0, watch.stalledNs(100));
        write(1000);
        assertFalse(watch.isFlushed());
        assertEquals(0, watch.stalledNs(200), "the first look at it");
        assertEquals(50, watch.stalledNs(250));
        write(10);
        assertEquals(0, watch.stalledNs(300));
        assertEquals(700, watch.stalledNs(1000));
        channel.flush();
        assertTrue(watch.isFlushed());
        assertEquals(0, watch.stalledNs(2000));
        assertEquals(0, watch.stalledNs(3000));
        channel.finishAndReleaseAll();
        assertTrue(watch.isFlushed(), "a closed one holds nobody");
    }
}

package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.List;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Fails a test class that leaked a Netty buffer. Leaks are found when the collector has taken a buffer that nobody released,
 * so the check leaks one of its own after the tests and waits until that one is reported: older ones are by then, too.
 */
public final class NettyLeakCheck implements AfterAllCallback {
    private static final String HINT = "own leak";

    @Override
    public void afterAll(ExtensionContext context) {
        String hint = HINT + " " + System.nanoTime(); // Netty reports equal leaks once only
        leak(hint);
        long deadlineNs = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (RecordingLeakDetector.LEAKS.stream().noneMatch(leak -> leak.contains(hint))) {
            assertTrue(System.nanoTime() < deadlineNs, "the leak detector is not at work: is io.netty.customResourceLeakDetector set?");
            System.gc();
            PooledByteBufAllocator.DEFAULT.directBuffer(16).release();
        }
        List<String> leaks =
                RecordingLeakDetector.LEAKS.stream().filter(leak -> !leak.contains(HINT)).toList();
        RecordingLeakDetector.LEAKS.clear();
        assertEquals(List.of(), leaks, "leaked buffers");
    }

    private static void leak(String hint) {
        ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(16);
        buffer.touch(hint);
    }
}

package dev.tidestream.server.transport.http;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.tidestream.server.transport.common.EventLoopClock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OutputWatchTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Clock clock = new Clock();
    private int stalled;
    private final OutputWatch watch = new OutputWatch(channel, clock, () -> stalled++, () -> {});

    /** Has one call at most. */
    private static final class Clock implements EventLoopClock {
        private long nowNs;
        private @Nullable Runnable due;

        @Override
        public long nanoTime() {
            return nowNs;
        }

        @Override
        public Timer after(Duration delay, Runnable task) {
            assertNull(due);
            due = task;
            return () -> due = null;
        }

        /** Lets so much time pass, and the call come. */
        void call(long afterNs) {
            nowNs += afterNs;
            Runnable task = due;
            due = null;
            assertNotNull(task);
            task.run();
        }
    }

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

    @Test
    void shouldTellOnceOfAClientThatTakesNothing() {
        watch.watch(Duration.ofNanos(800));
        watch.watch(Duration.ofNanos(800));
        clock.call(10_000);
        write(1000);
        clock.call(100);
        clock.call(700);
        assertEquals(0, stalled);
        clock.call(100);
        assertEquals(1, stalled);
        assertNull(clock.due);
        channel.releaseOutbound();
    }

    @Test
    void shouldTakeAnotherTimeAtTheNextLook() {
        watch.watch(Duration.ofNanos(800));
        write(1000);
        clock.call(100);
        watch.watch(Duration.ofNanos(80));
        clock.call(100);
        assertEquals(1, stalled, "80 have passed since the first look");
        channel.releaseOutbound();
    }

    @Test
    void shouldLookNoMoreAfterTheEnd() {
        watch.watch(Duration.ofNanos(800));
        assertNotNull(clock.due);
        watch.end();
        assertNull(clock.due);
    }
}

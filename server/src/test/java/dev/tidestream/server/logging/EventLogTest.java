package dev.tidestream.server.logging;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EventLogTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final AtomicLong nowNs = new AtomicLong(Long.MAX_VALUE - 3 * SECOND); // as System.nanoTime may: it overflows on the way
    private final EventLog log = new EventLog(EventLog.AUDIT, 1, nowNs::get);

    private static List<String> lines(int count, String line) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(line);
        }
        return lines;
    }

    @Test
    void shouldWriteTenRefusalsThenOnePerSecondAndCountTheOthers() {
        try (LoggedLines logged = new LoggedLines(EventLog.AUDIT)) {
            for (int i = 0; i < 2000; i++) {
                log.refused("wrong", () -> EventLine.of("token"));
            }
            List<String> expected = lines(10, "WARN token");
            assertEquals(expected, logged.lines());
            nowNs.addAndGet(SECOND);
            log.refused("wrong", () -> EventLine.of("token"));
            log.refused("wrong", () -> EventLine.of("token"));
            expected.add("WARN token suppressed=1990");
            assertEquals(expected, logged.lines());
            log.tellSuppressed();
            log.tellSuppressed();
            expected.add("WARN suppressed kind=wrong lines=1");
            assertEquals(expected, logged.lines());
            nowNs.addAndGet(100 * SECOND);
            for (int i = 0; i < 20; i++) {
                log.refused("wrong", () -> EventLine.of("token"));
            }
            expected.addAll(lines(10, "WARN token"));
            assertEquals(expected, logged.lines());
        }
    }

    @Test
    void shouldLimitEachKindByItselfAndWhatWasDoneNever() {
        try (LoggedLines logged = new LoggedLines(EventLog.AUDIT)) {
            for (int i = 0; i < 50; i++) {
                log.refused("one", () -> EventLine.of("one"));
                log.refused("other", () -> EventLine.of("other"));
                log.done(EventLine.of("update"));
            }
            assertEquals(10, logged.lines().stream().filter("WARN one"::equals).count());
            assertEquals(10, logged.lines().stream().filter("WARN other"::equals).count());
            assertEquals(50, logged.lines().stream().filter("INFO update"::equals).count());
        }
    }

    @Test
    void shouldNotComposeALineThatIsLeftOut() {
        int[] composed = {0};
        for (int i = 0; i < 2000; i++) {
            log.refused("wrong", () -> {
                composed[0]++;
                return EventLine.of("token");
            });
        }
        assertEquals(10, composed[0]);
    }

    @Test
    void shouldHoldABoundedNumberOfKinds() {
        try (LoggedLines logged = new LoggedLines(EventLog.AUDIT)) {
            for (int i = 0; i < 10_000; i++) {
                log.refused("kind" + i, () -> EventLine.of("refused"));
            }
            assertEquals(256 + 10, logged.lines().size());
        }
    }

    @Test
    void shouldRefillABucketWithTime() {
        TokenBucket bucket = new TokenBucket(2, 3, 0);
        assertTrue(bucket.full(0));
        for (int i = 0; i < 3; i++) {
            assertEquals(0, bucket.untilNextNs(0));
            assertTrue(bucket.take(0));
        }
        assertFalse(bucket.take(0));
        assertEquals(SECOND / 2, bucket.untilNextNs(0));
        assertFalse(bucket.take(SECOND / 2 - 1000));
        assertTrue(bucket.take(SECOND / 2 + 1000));
        assertFalse(bucket.full(SECOND));
        assertTrue(bucket.full(10 * SECOND));
        for (int i = 0; i < 3; i++) {
            assertTrue(bucket.take(10 * SECOND));
        }
        assertFalse(bucket.take(10 * SECOND), "not more than it holds");
        assertThrows(IllegalArgumentException.class, () -> new TokenBucket(0, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new TokenBucket(1, 0.5, 0));
    }
}

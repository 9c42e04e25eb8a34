package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.scheduler.fair.Party;

import static dev.tidestream.server.scheduler.SchedulerFixture.MS;
import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Limits that become others while streams run. */
class LiveLimitsTest {
    private static final long PLENTY = 1_000_000;
    private static final QueueLimits QUEUE = new QueueLimits(16, 1 << 20);
    private static final StallLimits STALLED = new StallLimits(16, 1 << 20, 1000 * MS);

    private static SchedulerConfig config(int perConnection, QueueLimits queue, StallLimits stalled) {
        return new SchedulerConfig(4, perConnection, 8, 500 * MS, queue, stalled);
    }

    private final SchedulerFixture f = new SchedulerFixture(config(4, QUEUE, STALLED), 64);

    @Test
    void shouldTakeAnotherLengthOfTheQueue() {
        List<FakeClient> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(f.submit("a", prompt(5, i), 5, PLENTY)); // the queue, as nobody has made a step
        }
        f.scheduler.reconfigure(config(4, new QueueLimits(4, 1 << 20), STALLED));
        FakeClient refused = f.submit("b", prompt(5, 9), 5, PLENTY);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertTrue(String.valueOf(refused.message).contains("queued=4, limit=4"), refused.message);
        f.scheduler.reconfigure(config(4, QUEUE, STALLED));
        all.add(f.submit("b", prompt(5, 9), 5, PLENTY));
        f.scheduler.reconfigure(config(4, new QueueLimits(1, 1), STALLED)); // who waits already stays
        f.runToIdle();
        assertEquals(List.of(5, 5, 5, 5, 5), all.stream().map(client -> client.tokens.size()).toList());
    }

    @Test
    void shouldTakeAnotherTimeWithoutDemand() {
        FakeClient stalled = f.submit("a", prompt(5, 0), 5, 2);
        f.steps(4);
        f.nowNs += 500 * MS;
        f.steps(1);
        assertNull(stalled.error);
        f.scheduler.reconfigure(config(4, QUEUE, new StallLimits(16, 1 << 20, 600 * MS)));
        f.steps(1);
        assertNull(stalled.error);
        assertEquals(100 * MS, f.scheduler.untilTimeoutNs());
        f.nowNs += 100 * MS;
        f.steps(1);
        assertEquals(ErrorCode.CREDIT_TIMEOUT, stalled.error);
        assertTrue(String.valueOf(stalled.message).contains("limit_ms=600"), stalled.message);
    }

    @Test
    void shouldEndParkedStreamsThatAreTooManyNow() {
        List<FakeClient> stalled = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            stalled.add(f.submit("a", prompt(5, i), 5, 2));
            f.steps(3);
            f.nowNs += MS;
        }
        assertEquals(5, f.scheduler.stats().parked());
        f.scheduler.reconfigure(config(4, QUEUE, new StallLimits(2, 1 << 20, 1000 * MS)));
        f.steps(1);
        assertEquals(2, f.scheduler.stats().parked());
        assertEquals(3, stalled.stream().filter(client -> client.error == ErrorCode.CREDIT_TIMEOUT).count());
    }

    /** Those that have more keep them to their end. */
    @Test
    void shouldTakeAnotherNumberOfSlotsOfAConnection() {
        for (int i = 0; i < 6; i++) {
            f.submit("a", prompt(5, i), 20, PLENTY);
        }
        f.steps(2);
        assertEquals(4, f.scheduler.stats().running());
        f.scheduler.reconfigure(config(1, QUEUE, STALLED));
        f.steps(1);
        assertEquals(4, f.scheduler.stats().running());
        while (f.scheduler.stats().running() == 4) {
            f.steps(1);
        }
        while (f.scheduler.stats().queued() > 0) {
            f.steps(1);
            assertTrue(f.scheduler.stats().running() <= 1, f.scheduler.stats().toString());
        }
        f.runToIdle();
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldTakeAnotherShareOfBatchStreams() {
        SchedulerFixture one = new SchedulerFixture(
                new SchedulerConfig(1, 1, 8, 500 * MS, new QueueLimits(1000, 1 << 30, 1 << 20, 0), STALLED), 64);
        List<FakeClient> batch = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            batch.add(one.submit(new Party("B", "b"), prompt(4, i), 16, new Urgency(Priority.BATCH, Urgency.NO_DEADLINE)));
            one.submit(new Party("A", "a"), prompt(4, i), 16, Urgency.DEFAULT);
        }
        one.steps(400);
        assertEquals(0, batch.stream().mapToInt(client -> client.tokens.size()).sum());
        one.scheduler.reconfigure(new SchedulerConfig(1, 1, 8, 500 * MS, new QueueLimits(1000, 1 << 30, 1 << 20, 0.5), STALLED));
        one.steps(400);
        assertEquals(200, batch.stream().mapToInt(client -> client.tokens.size()).sum(), 30);
    }
}

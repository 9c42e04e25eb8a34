package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.status.SchedulerStats;

import static dev.tidestream.server.scheduler.SchedulerFixture.MS;
import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Batch streams have what interactive ones leave, and a share; whoever is not done in time ends. */
class PrioritiesTest {
    private static final Urgency BATCH = new Urgency(Priority.BATCH, Urgency.NO_DEADLINE);
    private static final Party A = new Party("A", "a");
    private static final Party B = new Party("B", "b");

    private static Urgency within(long ms) {
        return new Urgency(Priority.INTERACTIVE, ms);
    }

    private static SchedulerFixture fixture(int slots, int kvBlocks, double batchShare) {
        return new SchedulerFixture(new SchedulerConfig(slots, slots, 8, 500 * MS, new QueueLimits(1000, 1 << 30, 1 << 20, batchShare),
                new StallLimits(1024, 1 << 30, 1000 * MS)), kvBlocks);
    }

    private static long tokens(List<FakeClient> clients) {
        return clients.stream().mapToLong(client -> client.tokens.size()).sum();
    }

    @Test
    void shouldLetBatchStreamsWaitForAllInteractiveOnes() {
        SchedulerFixture f = fixture(2, 64, 0);
        List<FakeClient> batch = new ArrayList<>();
        List<FakeClient> interactive = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            batch.add(f.submit(A, prompt(3, i), 5, BATCH));
            interactive.add(f.submit(B, prompt(3, 20 + i), 5, Urgency.DEFAULT));
        }
        while (interactive.stream().filter(FakeClient::ended).count() < 9) {
            assertEquals(0, tokens(batch));
            f.steps(1);
        }
        assertEquals(10, f.scheduler.stats().queuedBatch() + batch.stream().filter(c -> !c.tokens.isEmpty()).count());
        f.runToIdle();
        assertTrue(batch.stream().allMatch(FakeClient::ended));
    }

    @Test
    void shouldTakeTheSlotOfABatchStreamForAnInteractiveOneAtOnceAndGiveItBack() {
        SchedulerFixture f = fixture(1, 64, 0.1);
        FakeClient batch = f.submit(A, prompt(5, 0), 30, BATCH);
        f.steps(4);
        FakeClient interactive = f.submit(A, prompt(5, 9), 10, Urgency.DEFAULT);
        f.steps(1);
        assertEquals(1, interactive.tokens.size());
        f.steps(5);
        assertEquals(4, batch.tokens.size());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 0), 30), batch.ids());
        assertEquals(f.model.continuation(prompt(5, 9), 10), interactive.ids());
        assertEquals(0, f.scheduler.stats().recomputedRows(), "its blocks were of no use to the other");
    }

    /** Memory is short: the batch stream gives its blocks, too, and is computed anew. */
    @Test
    void shouldTakeTheBlocksOfABatchStreamForAnInteractiveOne() {
        SchedulerFixture f = fixture(4, 4, 0.1);
        FakeClient batch = f.submit(A, prompt(60, 0), 60, BATCH);
        f.steps(10);
        FakeClient interactive = f.submit(B, prompt(90, 9), 30, Urgency.DEFAULT); // three blocks, then all
        f.steps(2);
        assertEquals(1, f.scheduler.stats().preemptions());
        while (!interactive.ended()) {
            f.steps(1);
        }
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(60, 0), 60), batch.ids());
        assertEquals(f.model.continuation(prompt(90, 9), 30), interactive.ids());
        assertTrue(f.scheduler.stats().recomputedRows() > 0);
        assertEquals(0, f.pool.usedBytes());
    }

    /** Of the tokens that are computed while both wait, batch streams get their share, but for the stream that is under way. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 0.3})
    void shouldServeBatchStreamsTheirShareWhileInteractiveOnesWait(double share) {
        SchedulerFixture f = fixture(2, 256, share);
        List<FakeClient> batch = new ArrayList<>();
        List<FakeClient> interactive = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            interactive.add(f.submit(new Party("A", "a" + i % 3), prompt(4, i), 16, Urgency.DEFAULT));
            batch.add(f.submit(new Party("B", "b"), prompt(4, i), 16, BATCH));
        }
        while (tokens(interactive) < 4000) {
            f.steps(1);
        }
        double got = tokens(batch) / (double) (tokens(batch) + tokens(interactive));
        assertEquals(share, got, 0.02);
    }

    @Test
    void shouldEndAStreamThatWaitsAtItsDeadlineWithoutComputingAnything() {
        SchedulerFixture f = fixture(1, 64, 0.1);
        f.submit(A, prompt(3, 0), 200, Urgency.DEFAULT);
        f.steps(1);
        FakeClient waits = f.submit(A, prompt(3, 5), 5, within(100));
        f.nowNs += 99 * MS;
        f.steps(1);
        assertNull(waits.error);
        assertEquals(MS, f.scheduler.untilTimeoutNs());
        f.nowNs += MS;
        f.steps(1);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, waits.error);
        assertTrue(waits.message.startsWith("not done in time: deadline_ms=100, tokens=0"), waits.message);
        assertEquals(1, f.scheduler.stats().deadlines().missedWaiting());
        assertEquals(0, f.scheduler.stats().queued());
    }

    @Test
    void shouldEndAStreamThatRunsAtItsDeadlineAndKeepWhatItHasSent() {
        SchedulerFixture f = fixture(2, 64, 0.1);
        FakeClient runs = f.submit(A, prompt(3, 5), 50, within(100));
        FakeClient inTime = f.submit(A, prompt(3, 6), 5, within(100));
        f.steps(7);
        assertTrue(inTime.completion != null);
        f.nowNs += 100 * MS;
        f.steps(1);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, runs.error);
        assertEquals(f.model.continuation(prompt(3, 5), 7), runs.ids());
        assertEquals(new SchedulerStats.Deadlines(1, 0, 1), f.scheduler.stats().deadlines());
        assertTrue(f.scheduler.isEmpty());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldEndAParkedStreamAtItsDeadline() {
        SchedulerFixture f = fixture(2, 64, 0.1);
        FakeClient stalled = f.submit(A, prompt(3, 5), 50, within(100));
        f.steps(2);
        stalled.demand = 0;
        f.runToIdle();
        assertTrue(f.scheduler.untilTimeoutNs() <= 100 * MS, "the loop wakes in time");
        f.nowNs += 100 * MS;
        f.steps(1);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, stalled.error);
    }

    @Test
    void shouldRefuseAStreamThatComesTooLate() {
        SchedulerFixture f = fixture(2, 64, 0.1);
        FakeClient late = f.submit(A, prompt(3, 5), 50, within(100), f.nowNs - 100 * MS);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, late.error);
        assertEquals(0, f.scheduler.step());
        assertTrue(f.scheduler.isEmpty());
    }

    /** A quarter is kept for clients that have nothing there; one prompt may wait whatever its length. */
    @Test
    void shouldBoundTheTokensOfPromptsThatWait() {
        SchedulerFixture f = new SchedulerFixture(new SchedulerConfig(1, 1, 8, 500 * MS, new QueueLimits(100, 1 << 30, 100, 0.1),
                new StallLimits(16, 1 << 20, 1000 * MS)), 64);
        assertNull(f.submit(A, prompt(200, 0), 9, Urgency.DEFAULT).error);
        f.steps(1);
        assertNull(f.submit(A, prompt(40, 0), 9, Urgency.DEFAULT).error);
        assertNull(f.submit(A, prompt(35, 0), 9, Urgency.DEFAULT).error);
        assertEquals(0, f.scheduler.stats().queuedTokens(), "as of the step");
        FakeClient refused = f.submit(new Party("A", "a2"), prompt(1, 0), 9, Urgency.DEFAULT);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertEquals("waiting queue is full: queued_tokens=75, prompt_tokens=1, limit=75", refused.message);
        assertNull(f.submit(B, prompt(25, 0), 9, Urgency.DEFAULT).error);
        assertEquals(ErrorCode.BUSY, f.submit(new Party("C", "c"), prompt(1, 0), 9, Urgency.DEFAULT).error);
        f.steps(1);
        assertEquals(100, f.scheduler.stats().queuedTokens());
        f.runToIdle();
        assertEquals(0, f.scheduler.stats().queuedTokens());
    }

    /** One takes nothing from the other: the batch stream has a slot that nobody else could have. */
    @Test
    void shouldNotLetBatchStreamsPayWhileInteractiveOnesWaitForSlotsOfTheirOwnConnection() {
        SchedulerFixture f = new SchedulerFixture(new SchedulerConfig(2, 1, 8, 500 * MS, new QueueLimits(1000, 1 << 30, 1 << 20, 0.3),
                new StallLimits(1024, 1 << 30, 1000 * MS)), 256);
        List<FakeClient> batch = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            f.submit(A, prompt(4, i), 200, Urgency.DEFAULT);
            batch.add(f.submit(B, prompt(4, i), 200, BATCH));
        }
        f.steps(3000);
        long before = tokens(batch);
        assertTrue(before > 2500, "a slot is theirs: tokens=" + before);
        List<FakeClient> interactive = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            interactive.add(f.submit(new Party("C" + i % 3, "c" + i % 3), prompt(4, i), 16, Urgency.DEFAULT));
        }
        while (tokens(interactive) < 1000) {
            f.steps(1);
        }
        long since = tokens(batch) - before;
        assertTrue(since > 200, "they get their share at once: tokens=" + since);
    }
}

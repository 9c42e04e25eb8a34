package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;

import static dev.tidestream.server.scheduler.SchedulerFixture.MS;
import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A connection that asks for a lot gets its share, and delays the others by no more. */
class FairAdmissionTest {
    private static final long PLENTY = 1_000_000;

    private final List<String> ended = new ArrayList<>();

    /** A stream that writes down when it has ended. */
    private void submit(SchedulerFixture f, String connection, int maxTokens) {
        f.submit(new FakeClient(PLENTY) {
            @Override
            public void token(GeneratedToken token) {
                super.token(token);
                if (token.completion() != null) {
                    ended.add(connection);
                }
            }
        }, connection, prompt(3, 0), maxTokens, WeightsPolicy.PIN, List.of());
    }

    @Test
    void shouldGiveTurnsToConnectionsAndNotToStreams() {
        SchedulerFixture f = new SchedulerFixture(1, 16, 8, 64);
        for (String connection : List.of("a", "a", "a", "a", "b", "b", "c")) {
            submit(f, connection, 2);
        }
        f.runToIdle();
        assertEquals(List.of("a", "b", "c", "a", "b", "a", "a"), ended);
    }

    @Test
    void shouldTakeStreamsOfAConnectionInOrderOfArrivalAlsoThoseThatComeBack() {
        SchedulerFixture f = new SchedulerFixture(1, 16, 8, 64);
        FakeClient first = f.submit("a", prompt(3, 0), 9, 1 + 1);
        f.steps(2);
        FakeClient second = f.submit("a", prompt(3, 1), 9, PLENTY);
        f.steps(2);
        FakeClient third = f.submit("a", prompt(3, 2), 9, PLENTY);
        f.steps(1);
        first.demand = PLENTY;
        while (!second.ended()) {
            f.steps(1);
            assertEquals(1, first.tokens.size());
        }
        while (!first.ended()) {
            f.steps(1);
            assertTrue(third.tokens.isEmpty());
        }
        f.runToIdle();
        assertTrue(third.ended());
    }

    @Test
    void shouldServeANewcomerAtOnceThoughAnotherConnectionRunsInAllSlots() {
        SchedulerFixture f = new SchedulerFixture(4, 32, 8, 256);
        List<FakeClient> many = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            many.add(f.submit("a", prompt(5, i), 30, PLENTY));
        }
        f.steps(5);
        assertEquals(4, f.scheduler.stats().running());
        FakeClient newcomer = f.submit("b", prompt(5, 50), 5, PLENTY);
        f.steps(1);
        assertEquals(1, newcomer.tokens.size());
        assertEquals(1, f.scheduler.stats().slotsGivenBack());
        f.steps(4);
        assertTrue(newcomer.ended());
        f.runToIdle();
        for (int i = 0; i < 10; i++) {
            assertEquals(f.model.continuation(prompt(5, i), 30), many.get(i).ids());
        }
        assertEquals(0, f.scheduler.stats().recomputedRows(), "who yields keeps its KV blocks");
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldYieldToConnectionsWithoutASlotOnly() {
        SchedulerFixture f = new SchedulerFixture(4, 64, 8, 256);
        for (int i = 0; i < 8; i++) {
            f.submit("a", prompt(5, i), 200, PLENTY);
        }
        f.steps(3);
        for (int i = 0; i < 8; i++) {
            f.submit("b", prompt(5, i), 200, PLENTY);
        }
        f.steps(10);
        assertEquals(1, f.scheduler.stats().slotsGivenBack(), "b has one now, and waits for others to end");
        FakeClient third = f.submit("c", prompt(5, 0), 200, PLENTY);
        f.steps(1);
        assertEquals(1, third.tokens.size());
        f.steps(50);
        assertEquals(2, f.scheduler.stats().slotsGivenBack());
        f.submit("d", prompt(5, 0), 200, PLENTY);
        f.steps(1);
        FakeClient fifth = f.submit("e", prompt(5, 0), 200, PLENTY);
        f.steps(20);
        assertTrue(fifth.tokens.isEmpty(), "each of four connections has one slot");
        assertEquals(3, f.scheduler.stats().slotsGivenBack());
    }

    @Test
    void shouldGiveAFreeSlotToTheConnectionWithFewest() {
        SchedulerFixture f = new SchedulerFixture(4, 64, 8, 256);
        submit(f, "a", 10);
        for (int i = 0; i < 7; i++) {
            submit(f, "a", 100);
        }
        f.steps(3);
        FakeClient first = f.submit("b", prompt(5, 0), 200, PLENTY); // takes the last slot of a
        FakeClient second = f.submit("b", prompt(5, 1), 200, PLENTY);
        f.steps(3);
        assertFalse(first.tokens.isEmpty());
        assertTrue(second.tokens.isEmpty());
        while (ended.isEmpty()) {
            f.steps(1);
        }
        f.steps(1);
        assertEquals(1, second.tokens.size(), "a has two slots, b one");
    }

    @Test
    void shouldNotTakeASlotForAStreamThatHasNoBlocks() {
        SchedulerFixture f = new SchedulerFixture(2, 16, 8, 4);
        FakeClient first = f.submit("a", prompt(33, 0), 30, PLENTY); // two blocks each
        FakeClient second = f.submit("a", prompt(33, 1), 30, PLENTY);
        f.steps(3);
        FakeClient waits = f.submit("b", prompt(5, 2), 50, PLENTY);
        f.steps(10);
        assertEquals(13, first.tokens.size());
        assertEquals(12, second.tokens.size());
        assertTrue(waits.tokens.isEmpty());
        f.runToIdle();
        assertTrue(waits.ended());
        assertEquals(0, f.scheduler.stats().slotsGivenBack());
    }

    @Test
    void shouldGiveAConnectionNoMoreSlotsThanItMayHave() {
        SchedulerFixture f = new SchedulerFixture(new SchedulerConfig(
                4, 2, 8, 500 * MS, new QueueLimits(16, 1 << 20), new StallLimits(16, 1 << 20, 1000 * MS)), 64);
        FakeClient first = f.submit("a", prompt(5, 0), 30, 1 + 2);
        FakeClient second = f.submit("a", prompt(5, 1), 30, PLENTY);
        f.steps(1);
        FakeClient third = f.submit("a", prompt(5, 2), 30, 1);
        f.steps(1);
        third.demand = PLENTY;
        f.steps(1); // the first has used its demand by now
        assertEquals(2, f.scheduler.stats().running());
        assertEquals(1, third.tokens.size(), "the slot of a stalled one of the same connection");
        FakeClient other = f.submit("b", prompt(5, 3), 30, PLENTY);
        f.steps(1);
        assertEquals(1, other.tokens.size());
        assertEquals(3, f.scheduler.stats().running());
        first.demand = PLENTY;
        f.steps(3);
        assertEquals(3, f.scheduler.stats().running());
        assertEquals(2, first.tokens.size());
        f.runToIdle();
        assertTrue(first.ended() && second.ended() && third.ended() && other.ended());
    }

    @Test
    void shouldDelayAPromptByATurnOfEachOtherConnection() {
        SchedulerFixture f = new SchedulerFixture(16, 16, 8, 256);
        FakeClient decoding = f.submit("z", prompt(3, 0), 250, PLENTY);
        f.steps(1);
        List<FakeClient> longOnes = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            longOnes.add(f.submit("a", prompt(80, i), 2, PLENTY)); // ten chunks each
        }
        f.steps(3);
        FakeClient shortOne = f.submit("b", prompt(5, 0), 2, PLENTY);
        f.steps(2);
        assertTrue(shortOne.tokens.size() >= 1);
        assertTrue(longOnes.stream().allMatch(c -> c.tokens.isEmpty()));
        assertFalse(decoding.ended());
        f.runToIdle();
        for (int i = 0; i < 6; i++) {
            assertEquals(f.model.continuation(prompt(80, i), 2), longOnes.get(i).ids());
        }
    }

    @Test
    void shouldKeepTheLastQuarterOfTheQueueForConnectionsThatHaveNothingInIt() {
        SchedulerFixture f = new SchedulerFixture(1, 8, 8, 64);
        f.submit("a", prompt(3, 0), 90, PLENTY);
        f.steps(1);
        for (int i = 0; i < 6; i++) {
            assertNull(f.submit("a", prompt(3, 0), 9, PLENTY).error);
        }
        FakeClient refused = f.submit("a", prompt(3, 0), 9, PLENTY);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertTrue(refused.message.contains("queued=6, limit=6"), refused.message);
        assertNull(f.submit("b", prompt(3, 0), 9, PLENTY).error);
        assertEquals(ErrorCode.BUSY, f.submit("b", prompt(3, 0), 9, PLENTY).error);
        assertNull(f.submit("c", prompt(3, 0), 9, PLENTY).error);
        assertEquals(ErrorCode.BUSY, f.submit("d", prompt(3, 0), 9, PLENTY).error);
    }

    @Test
    void shouldBoundWhatWaitingPromptsHold() {
        long bytes = SchedulerFixture.MEMORY.bytes(200);
        SchedulerFixture f = new SchedulerFixture(new SchedulerConfig(
                1, 1, 8, 500 * MS, new QueueLimits(100, 4 * bytes), new StallLimits(16, 1 << 20, 1000 * MS)), 64);
        f.submit("z", prompt(3, 0), 90, PLENTY);
        f.steps(1);
        for (int i = 0; i < 3; i++) {
            assertNull(f.submit("a", prompt(200, 0), 9, PLENTY).error);
        }
        f.steps(1);
        assertEquals(3 * bytes, f.scheduler.stats().queuedBytes());
        FakeClient refused = f.submit("a", prompt(200, 0), 9, PLENTY);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertTrue(refused.message.contains("queued_bytes=%d, bytes=%d, limit=%d".formatted(3 * bytes, bytes, 3 * bytes)), refused.message);
        assertNull(f.submit("b", prompt(200, 0), 9, PLENTY).error);
        assertEquals(ErrorCode.BUSY, f.submit("c", prompt(3, 0), 9, PLENTY).error);
        f.runToIdle();
        assertEquals(0, f.scheduler.stats().queuedBytes());
    }
}

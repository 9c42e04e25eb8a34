package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.transformer.LanguageModel.Slice;

import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** KV blocks go to whoever reaches their positions; when none is left, others give theirs back and lose nothing else. */
class KvLendingTest {
    private static final long PLENTY = 1_000_000;

    private static long blocks(SchedulerFixture f) {
        return f.pool.usedBytes() / f.model.kvCacheShape().blockBytes();
    }

    @Test
    void shouldLendBlocksAsPositionsAreReached() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 16);
        FakeClient client = f.submit(prompt(30, 0), 200, PLENTY);
        f.steps(1);
        assertEquals(1, blocks(f));
        f.steps(2);
        assertEquals(1, blocks(f), "32 positions are filled");
        f.steps(1);
        assertEquals(2, blocks(f));
        f.steps(32);
        assertEquals(3, blocks(f));
        assertFalse(client.ended());
    }

    /** Four times as many tokens as there is memory for, if all were reserved. */
    @Test
    void shouldRunManyWhereOneCouldReserveAll() {
        SchedulerFixture f = new SchedulerFixture(8, 16, 8, 8);
        List<FakeClient> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(f.submit("c" + i, prompt(5, i), 250, PLENTY));
        }
        f.steps(1);
        assertEquals(8, f.scheduler.stats().running());
        f.steps(20);
        assertEquals(0, f.scheduler.stats().preemptions());
        f.runToIdle();
        for (int i = 0; i < 8; i++) {
            assertEquals(f.model.continuation(prompt(5, i), 250), clients.get(i).ids());
        }
        assertTrue(f.scheduler.stats().preemptions() >= 7, f.scheduler.stats().toString());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldTakeBlocksOfTheYoungestWhichWaitsForASlotAndGoesOn() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 5);
        FakeClient oldest = f.submit("a", prompt(5, 0), 100, PLENTY);
        FakeClient middle = f.submit("b", prompt(5, 1), 100, PLENTY);
        FakeClient youngest = f.submit("c", prompt(5, 2), 100, PLENTY);
        f.steps(28); // 32 positions of each are filled
        assertEquals(3, blocks(f));
        f.steps(2);
        assertEquals(5, blocks(f));
        assertEquals(List.of(30, 30, 28), List.of(oldest.tokens.size(), middle.tokens.size(), youngest.tokens.size()));
        assertEquals(3, f.scheduler.stats().running(), "the youngest waits with the block it has");
        f.steps(30);
        assertEquals(0, f.scheduler.stats().preemptions());
        f.steps(1); // the 65th position of the oldest
        assertEquals(1, f.scheduler.stats().preemptions());
        assertEquals(2, f.scheduler.stats().running());
        assertEquals(1, f.scheduler.stats().queued());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 0), 100), oldest.ids());
        assertEquals(f.model.continuation(prompt(5, 1), 100), middle.ids());
        assertEquals(f.model.continuation(prompt(5, 2), 100), youngest.ids());
        assertTrue(f.scheduler.stats().recomputedRows() >= 32, f.scheduler.stats().toString());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldLetTheYoungestWaitWithItsBlocksIfOnlyItWantsMore() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 4);
        FakeClient oldest = f.submit("a", prompt(33, 0), 30, PLENTY); // two blocks, and never more
        FakeClient youngest = f.submit("b", prompt(60, 1), 30, PLENTY); // two, and a third for its sixth token
        while (youngest.tokens.size() < 5) {
            f.steps(1);
        }
        int had = oldest.tokens.size();
        f.steps(5);
        assertEquals(5, youngest.tokens.size());
        assertEquals(had + 5, oldest.tokens.size());
        assertEquals(4, blocks(f));
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(33, 0), 30), oldest.ids());
        assertEquals(f.model.continuation(prompt(60, 1), 30), youngest.ids());
        assertEquals(0, f.scheduler.stats().preemptions());
        assertEquals(0, f.scheduler.stats().recomputedRows());
    }

    /** The oldest has a row in every step from its first token on, whatever the others do. */
    @Test
    void shouldGiveTheOldestARowInEveryStep() {
        SchedulerFixture f = new SchedulerFixture(4, 16, 8, 8);
        FakeClient oldest = f.submit("z", prompt(20, 99), 230, PLENTY);
        f.steps(1);
        List<FakeClient> others = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            others.add(f.submit("c" + i % 3, prompt(10 + 15 * i, i), 60, PLENTY));
        }
        while (!oldest.ended()) {
            int before = oldest.tokens.size();
            f.steps(1);
            assertEquals(before + 1, oldest.tokens.size());
        }
        f.runToIdle();
        for (int i = 0; i < 12; i++) {
            assertEquals(f.model.continuation(prompt(10 + 15 * i, i), 60), others.get(i).ids());
        }
        assertTrue(f.scheduler.stats().preemptions() > 3, f.scheduler.stats().toString());
    }

    @Test
    void shouldTakeFromTheStalledBeforeItTakesFromTheYoungest() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 3);
        FakeClient stalled = f.submit("a", prompt(20, 0), 20, 1 + 1);
        f.steps(3);
        FakeClient oldest = f.submit("b", prompt(20, 1), 40, PLENTY);
        FakeClient youngest = f.submit("c", prompt(20, 2), 30, PLENTY);
        f.runToIdle();
        assertTrue(oldest.ended() && youngest.ended());
        assertEquals(1, f.scheduler.stats().blocksTaken());
        assertEquals(0, f.scheduler.stats().preemptions());
        stalled.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(20, 0), 20), stalled.ids());
    }

    /** Whoever yields its slot to another connection keeps its blocks while these are of no use to those that run. */
    @Test
    void shouldTakeFromThoseThatWaitForASlotBeforeItTakesFromThoseThatRun() {
        SchedulerFixture f = new SchedulerFixture(2, 8, 8, 4);
        FakeClient first = f.submit("a", prompt(20, 0), 100, PLENTY);
        FakeClient second = f.submit("a", prompt(20, 1), 100, PLENTY);
        f.steps(3);
        FakeClient newcomer = f.submit("b", prompt(20, 2), 60, PLENTY); // takes the slot of the second
        f.steps(2);
        assertEquals(3, blocks(f));
        while (f.scheduler.stats().blocksTaken() == 0) {
            f.steps(1);
        }
        assertEquals(0, f.scheduler.stats().preemptions());
        assertEquals(2, f.scheduler.stats().running());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(20, 0), 100), first.ids());
        assertEquals(f.model.continuation(prompt(20, 1), 100), second.ids());
        assertEquals(f.model.continuation(prompt(20, 2), 60), newcomer.ids());
    }

    /** Holders of all blocks that have no slot, and nobody who runs: one of them gives way. */
    @Test
    void shouldNotStandStillIfOnlyThoseWithoutASlotHaveBlocks() {
        SchedulerFixture f = new SchedulerFixture(2, 8, 64, 4);
        FakeClient a = f.submit("a", prompt(60, 0), 30, 1 + 1); // two blocks, and a third to go on
        FakeClient b = f.submit("b", prompt(60, 1), 30, 1 + 1);
        f.steps(4);
        assertEquals(4, blocks(f));
        a.demand = 4;
        b.demand = 4;
        f.steps(5); // 64 positions are filled, both want a third block
        a.demand = PLENTY;
        b.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(60, 0), 30), a.ids());
        assertEquals(f.model.continuation(prompt(60, 1), 30), b.ids());
    }

    /** A prompt is computed in pieces as large as there are blocks for. */
    @Test
    void shouldPrefillWithinTheBlocksThatThereAre() {
        SchedulerFixture f = new SchedulerFixture(4, 8, 64, 4);
        FakeClient holder = f.submit("a", prompt(30, 0), 40, PLENTY);
        f.steps(1);
        FakeClient large = f.submit("b", prompt(90, 1), 8, PLENTY); // three blocks, which leaves none for the other
        f.steps(1);
        assertEquals(List.of(1, 63), f.model.lastPass().stream().map(Slice::count).toList());
        while (!holder.ended()) {
            int before = holder.tokens.size();
            f.steps(1);
            assertEquals(before + 1, holder.tokens.size());
        }
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(30, 0), 40), holder.ids());
        assertEquals(f.model.continuation(prompt(90, 1), 8), large.ids());
    }
}

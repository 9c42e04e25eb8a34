package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.epoch.ModelEpoch;

import static dev.tidestream.server.scheduler.SchedulerFixture.MS;
import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Streams without demand lose their place to whoever waits, and nothing else. */
class StalledStreamsTest {
    private static final long PLENTY = 1_000_000;

    private static SchedulerFixture withLimits(int maxParked, long maxParkedBytes) {
        return new SchedulerFixture(
                new SchedulerConfig(2, 2, 8, 500 * MS, new QueueLimits(16, 1 << 20),
                        new StallLimits(maxParked, maxParkedBytes, 1000 * MS)), 64);
    }

    @Test
    void shouldServeANewcomerBesideAsManyStalledStreamsAsThereAreSlots() {
        SchedulerFixture f = new SchedulerFixture(4, 16, 8, 256);
        List<FakeClient> stalled = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            stalled.add(f.submit("hoarder", prompt(5, i), 20, 1 + i)); // the first has no demand at all
        }
        f.steps(6);
        assertEquals(List.of(0, 1, 2, 3), stalled.stream().map(c -> c.tokens.size()).toList());
        assertEquals(0, f.scheduler.stats().running(), "who has no demand has no slot");
        FakeClient newcomer = f.submit("other", prompt(5, 9), 5, PLENTY);
        FakeClient second = f.submit("other", prompt(5, 8), 5, PLENTY);
        f.steps(1);
        assertEquals(1, newcomer.tokens.size());
        assertEquals(1, second.tokens.size());
        assertEquals(4, f.scheduler.stats().parked());
        assertEquals(3, f.scheduler.stats().slotsGivenBack());
        stalled.forEach(client -> client.demand = PLENTY);
        f.runToIdle();
        for (int i = 0; i < 4; i++) {
            assertEquals(f.model.continuation(prompt(5, i), 20), stalled.get(i).ids());
            assertEquals(IntStream.range(0, 20).boxed().toList(), stalled.get(i).tokens.stream().map(GeneratedToken::seq).toList());
        }
        assertEquals(0, f.scheduler.stats().recomputedRows(), "its KV blocks were not needed");
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldGiveTheSlotBackAtOnceAndKeepBlocksWhileNobodyNeedsThem() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 8);
        FakeClient client = f.submit("a", prompt(5, 0), 20, 1 + 3);
        f.steps(5);
        assertEquals(0, f.scheduler.stats().running());
        assertEquals(1, f.scheduler.stats().slotsGivenBack());
        assertEquals(f.model.kvCacheShape().blockBytes(), f.pool.usedBytes());
        client.demand = 4;
        f.steps(1);
        assertEquals(4, client.tokens.size());
        assertEquals(List.of(1), f.model.lastPass().stream().map(s -> s.count()).toList());
        assertEquals(1, f.scheduler.stats().slotsGivenBack());
        assertEquals(0, f.scheduler.stats().blocksTaken());
    }

    @Test
    void shouldTakeTheSlotOfTheLongestStalled() {
        SchedulerFixture f = new SchedulerFixture(2, 4, 8, 64);
        FakeClient second = f.submit("a", prompt(5, 0), 20, 1 + 4);
        FakeClient first = f.submit("a", prompt(5, 1), 20, 1 + 2);
        for (int i = 0; i < 8; i++) {
            f.steps(1);
            f.nowNs += MS;
        }
        f.submit("b", prompt(5, 2), 2, PLENTY);
        f.steps(1);
        first.demand = 1;
        second.demand = 1;
        f.steps(1);
        assertEquals(5, second.tokens.size(), "has its slot yet");
        assertEquals(2, first.tokens.size());
    }

    @Test
    void shouldTakeBlocksOfStalledStreamsTheLongestStalledFirstAndNoMoreThanNeeded() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 6);
        FakeClient first = f.submit("a", prompt(33, 0), 31, 1 + 1); // two blocks each
        f.steps(3);
        f.nowNs += MS;
        FakeClient second = f.submit("a", prompt(33, 1), 31, 1 + 2);
        f.steps(4);
        f.nowNs += MS;
        FakeClient third = f.submit("a", prompt(33, 2), 31, 1 + 3);
        f.steps(6);
        FakeClient large = f.submit("b", prompt(60, 3), 60, PLENTY); // four blocks
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(60, 3), 60), large.ids());
        assertEquals(2, f.scheduler.stats().blocksTaken());
        third.demand = PLENTY;
        f.runToIdle();
        assertEquals(0, f.scheduler.stats().recomputedRows());
        first.demand = PLENTY;
        second.demand = PLENTY;
        f.runToIdle();
        assertEquals(33 + (33 + 1), f.scheduler.stats().recomputedRows());
        assertEquals(f.model.continuation(prompt(33, 0), 31), first.ids());
        assertEquals(f.model.continuation(prompt(33, 1), 31), second.ids());
        assertEquals(f.model.continuation(prompt(33, 2), 31), third.ids());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldTakeNoBlocksIfAllOfThemAreNotEnough() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 6);
        FakeClient stalled = f.submit("a", prompt(33, 0), 31, 1 + 1); // two blocks
        FakeClient running = f.submit("b", prompt(33, 1), 31, PLENTY); // two
        f.steps(12);
        assertFalse(running.ended());
        FakeClient large = f.submit("c", prompt(60, 3), 100, PLENTY); // five
        f.steps(1);
        assertEquals(0, f.scheduler.stats().blocksTaken());
        stalled.demand = 1;
        f.steps(1);
        assertEquals(2, stalled.tokens.size());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(33, 1), 31), running.ids());
        assertEquals(f.model.continuation(prompt(60, 3), 100), large.ids());
        assertEquals(1, f.scheduler.stats().blocksTaken());
    }

    /** As with a small {@code --kv-memory} and two clients with long prompts and one credit. */
    @Test
    void shouldServeAShortStreamThoughStalledOnesHaveAllKvMemory() {
        SchedulerFixture f = new SchedulerFixture(16, 16, 8, 8);
        FakeClient a = f.submit("a", prompt(100, 0), 28, 1 + 1);
        FakeClient b = f.submit("b", prompt(100, 1), 28, 1 + 1);
        f.steps(5);
        assertEquals(f.pool.budgetBytes(), f.pool.usedBytes());
        FakeClient shortOne = f.submit("c", prompt(5, 2), 3, PLENTY);
        f.steps(3);
        assertTrue(shortOne.ended());
        a.demand = PLENTY;
        b.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(100, 0), 28), a.ids());
        assertEquals(f.model.continuation(prompt(100, 1), 28), b.ids());
    }

    /** A head of the queue that waits for blocks must not keep those from running that have theirs: else nobody would ever run. */
    @Test
    void shouldLetThosePassThatHoldTheirBlocksWhileAnotherWaitsForBlocks() {
        SchedulerFixture f = new SchedulerFixture(1, 16, 8, 4);
        FakeClient holder = f.submit("a", prompt(5, 0), 50, 1 + 1); // two blocks
        f.steps(2);
        f.submit("b", prompt(5, 1), 4, PLENTY); // takes the slot
        f.runToIdle();
        assertEquals(1, f.scheduler.stats().parked());
        FakeClient large = f.submit("c", prompt(5, 2), 120, 1); // four blocks, no demand yet
        f.steps(1);
        holder.demand = 1;
        large.demand = PLENTY;
        f.steps(1);
        assertEquals(2, holder.tokens.size());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 2), 120), large.ids());
        holder.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 0), 50), holder.ids());
    }

    @Test
    void shouldGiveUpOnAParkedStreamAfterTheTimeoutOnly() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 64);
        FakeClient parked = f.submit("a", prompt(5, 0), 20, 1 + 2);
        FakeClient never = f.submit("a", prompt(5, 0), 20, 1);
        f.steps(4);
        f.submit("b", prompt(5, 1), 1, PLENTY);
        f.steps(2);
        assertEquals(2, f.scheduler.stats().parked());
        f.nowNs += 999 * MS;
        f.steps(1);
        assertNull(parked.error);
        assertEquals(MS, f.scheduler.untilTimeoutNs());
        f.nowNs += MS;
        f.steps(1);
        assertEquals(ErrorCode.CREDIT_TIMEOUT, parked.error);
        assertEquals(ErrorCode.CREDIT_TIMEOUT, never.error);
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldNotTimeOutAStreamThatWaitsForItsSlotWithDemand() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 64);
        FakeClient resumes = f.submit("a", prompt(5, 0), 20, 1 + 2);
        f.steps(3);
        FakeClient running = f.submit("b", prompt(5, 1), 200, PLENTY);
        f.steps(1);
        resumes.demand = PLENTY;
        f.nowNs += 5000 * MS;
        f.steps(100);
        assertFalse(running.ended());
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 0), 20), resumes.ids());
    }

    @Test
    void shouldLetParkedStreamsBeCancelledAndStopped() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 64);
        FakeClient cancelled = f.submit("a", prompt(5, 0), 20, 1 + 2);
        FakeClient stopped = f.submit("a", prompt(5, 1), 20, 1);
        f.steps(4);
        f.submit("b", prompt(5, 1), 1, PLENTY);
        f.runToIdle();
        assertEquals(2, f.scheduler.stats().parked());
        cancelled.cancelled = true;
        stopped.stopRequested = true;
        stopped.demand = 1;
        f.steps(1);
        Completion completion = stopped.completion;
        assertNotNull(completion);
        assertEquals(FinishReason.CANCELLED, completion.reason());
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldFailParkedStreamsWhenAllFail() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 64);
        FakeClient parked = f.submit("a", prompt(5, 0), 20, 1 + 2);
        f.steps(4);
        f.submit("b", prompt(5, 1), 1, PLENTY);
        f.runToIdle();
        assertEquals(1, f.scheduler.stats().parked());
        f.scheduler.failAll(ErrorCode.SHUTTING_DOWN, "bye");
        assertEquals(ErrorCode.SHUTTING_DOWN, parked.error);
        assertEquals(0, f.pool.usedBytes());
        assertEquals(0, f.scheduler.stats().parked());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldEndTheLongestStalledOfTheConnectionThatParksMostPastTheLimit() {
        SchedulerFixture f = withLimits(4, 1 << 20);
        FakeClient other = f.submit("other", prompt(3, 0), 9, 1);
        f.steps(1);
        f.nowNs += MS;
        List<FakeClient> hoarded = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            hoarded.add(f.submit("hoarder", prompt(3, i), 9, 1));
            f.steps(1);
            f.nowNs += MS;
        }
        assertEquals(4, f.scheduler.stats().parked());
        FakeClient another = f.submit("another", prompt(3, 0), 9, 1);
        f.steps(1);
        assertEquals(ErrorCode.CREDIT_TIMEOUT, hoarded.getFirst().error);
        assertTrue(hoarded.getFirst().message.contains("limit=4"), hoarded.getFirst().message);
        assertNull(other.error);
        assertNull(another.error);
        assertNull(hoarded.get(1).error);
        assertEquals(4, f.scheduler.stats().parked());
    }

    @Test
    void shouldRefuseAStreamOfTheConnectionThatParksMostWhenParkingIsFull() {
        SchedulerFixture f = withLimits(3, 1 << 20);
        f.submit("other", prompt(3, 0), 9, 1);
        f.submit("hoarder", prompt(3, 0), 9, 1);
        f.submit("hoarder", prompt(3, 0), 9, 1);
        f.steps(1);
        FakeClient refused = f.submit("hoarder", prompt(3, 0), 9, PLENTY);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertTrue(refused.message.contains("parked=3, limit=3"), refused.message);
        assertNull(f.submit("other", prompt(3, 0), 9, PLENTY).error);
    }

    @Test
    void shouldBoundWhatParkedStreamsHold() {
        long bytes = SchedulerFixture.MEMORY.bytes(100);
        SchedulerFixture f = withLimits(16, 3 * bytes);
        List<FakeClient> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(f.submit("c" + i / 2, prompt(i == 0 ? 150 : 100, i), 9, 1));
            f.steps(1);
        }
        assertEquals(ErrorCode.CREDIT_TIMEOUT, clients.getFirst().error, "of the connection that holds most");
        assertEquals(3 * bytes, f.scheduler.stats().parkedBytes());
        assertEquals(3, f.scheduler.stats().parked());
    }

    /** What a stream holds grows with its tokens and not with what it may have. */
    @Test
    void shouldHoldMemoryForTokensThatThereAre() {
        SchedulerFixture f = new SchedulerFixture(2, 4, 8, 64);
        f.submit("a", prompt(100, 0), 150, 1 + 1);
        f.submit("a", prompt(100, 1), 150, 1);
        f.submit("b", prompt(5, 1), 9, PLENTY);
        f.submit("c", prompt(5, 1), 9, PLENTY);
        f.runToIdle();
        assertEquals(2, f.scheduler.stats().parked());
        assertTrue(f.scheduler.stats().parkedBytes() <= 2 * 1000 + 4 * (2 * 100 + 100), "bytes=" + f.scheduler.stats().parkedBytes());
    }

    @Test
    void shouldKeepThePinnedWeightsOfAParkedStreamAndLetFollowersGoOn() {
        SchedulerFixture f = new SchedulerFixture(2, 8, 8, 4); // two blocks each
        FakeClient pinned = f.submit("a", prompt(40, 0), 20, 1 + 3, WeightsPolicy.PIN, List.of());
        FakeClient follower = f.submit("a", prompt(40, 0), 20, 1 + 3, WeightsPolicy.FOLLOW, List.of());
        f.steps(14);
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        FakeClient taker = f.submit("b", prompt(5, 1), 120, PLENTY); // all blocks
        f.runToIdle();
        assertTrue(taker.ended());
        assertEquals(2, f.scheduler.stats().blocksTaken());
        assertEquals(2, f.epochs.liveEpochs(), "the pinned stream needs its weights yet");
        pinned.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(40, 0), 20), pinned.ids());
        assertEquals(1, f.epochs.liveEpochs());
        follower.demand = PLENTY;
        f.runToIdle();
        assertEquals(20, follower.tokens.size());
        int[] soFar = IntStream.concat(
                IntStream.of(prompt(40, 0)), follower.ids().stream().limit(3).mapToInt(i -> i)).toArray();
        assertEquals(next.continuation(soFar, 17), follower.ids().subList(3, 20), "its KV cache is of the new weights alone");
        assertEquals(List.of(1L, 1L, 1L, 2L), follower.tokens.stream().limit(4).map(GeneratedToken::weightsVersion).toList());
    }

    @Test
    void shouldReportNoProgressOfWhatIsComputedAnew() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 8);
        FakeClient client = f.submit("a", prompt(150, 0), 60, 1 + 2);
        f.steps(6);
        f.submit("b", prompt(60, 1), 60, PLENTY);
        f.runToIdle();
        client.demand = 2;
        f.nowNs += 900 * MS;
        while (f.scheduler.step() > 0) {
            f.nowNs += 600 * MS;
        }
        assertEquals(4, client.tokens.size());
        assertEquals(List.of(), client.progress);
    }

    /**
     * The last unit of demand stays for the token while somebody waits: else each report would cost the slot, and the prompt
     * begin anew.
     */
    @Test
    void shouldKeepTheLastDemandForTheTokenWhileOthersWait() {
        SchedulerFixture f = new SchedulerFixture(1, 4, 8, 64);
        FakeClient client = f.submit("a", prompt(200, 0), 9, 1 + 1);
        FakeClient waits = f.submit("a", prompt(3, 0), 9, PLENTY);
        for (int i = 0; i < 4; i++) {
            f.steps(1);
            f.nowNs += 600 * MS;
        }
        assertEquals(List.of(), client.progress);
        assertEquals(1, client.tokens.size());
        f.runToIdle();
        assertTrue(waits.ended());
    }

    /** Demand may come at any moment of a step, also after the step has looked for a stream to announce. */
    @Test
    void shouldGiveNoTokenBeforeTheStreamIsAccepted() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient late = new FakeClient(PLENTY) {
            private int looks;

            @Override
            public long demand() {
                return looks++ == 0 ? 0 : super.demand();
            }
        };
        f.submit(late, "a", prompt(5, 0), 3, WeightsPolicy.PIN, List.of());
        f.steps(1);
        assertEquals(List.of(), late.tokens);
        f.runToIdle();
        assertEquals(1, late.acceptedVersion);
        assertEquals(3, late.tokens.size());
    }
}

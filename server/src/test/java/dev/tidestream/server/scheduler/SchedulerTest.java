package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Usage;
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

class SchedulerTest {
    private static final long PLENTY = 1_000_000;

    @Test
    void shouldGenerateTheSameAloneAndBesideFifteenOthersThatComeAndGo() {
        int[] prompt = prompt(50, 3);
        SchedulerFixture alone = new SchedulerFixture();
        FakeClient single = alone.submit(prompt, 60, PLENTY);
        alone.runToIdle();
        assertEquals(alone.model.continuation(prompt, 60), single.ids());

        SchedulerFixture crowded = new SchedulerFixture();
        Random random = new Random(5);
        List<FakeClient> others = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            others.add(crowded.submit(prompt(1 + random.nextInt(60), i), 1 + random.nextInt(40), PLENTY));
        }
        FakeClient beside = crowded.submit(prompt, 60, PLENTY);
        for (int i = 0; i < 8; i++) {
            crowded.steps(3);
            others.add(crowded.submit(prompt(1 + random.nextInt(60), i), 1 + random.nextInt(40), PLENTY));
            others.get(i).cancelled = i % 3 == 0 && !others.get(i).ended();
        }
        crowded.runToIdle();
        assertEquals(single.ids(), beside.ids());
        assertEquals(single.text(), beside.text());
        assertEquals(0, crowded.pool.usedBytes());
        assertTrue(crowded.scheduler.isEmpty());
    }

    @Test
    void shouldDecodeRunningStreamsInEveryStepOfALongPrompt() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient running = f.submit(prompt(4, 0), 100, PLENTY);
        f.steps(1);
        int[] longPrompt = prompt(41, 9);
        FakeClient late = f.submit(longPrompt, 5, PLENTY);
        for (int step = 0; step < 6; step++) {
            int before = running.tokens.size();
            f.steps(1);
            assertEquals(before + 1, running.tokens.size());
            assertEquals(List.of(1, step < 5 ? 8 : 1), f.model.lastPass().stream().map(Slice::count).toList());
        }
        assertEquals(1, late.tokens.size());
        f.runToIdle();
        assertEquals(f.model.continuation(longPrompt, 5), late.ids());
    }

    @Test
    void shouldPrefillAllRowsWhenNobodyDecodes() {
        SchedulerFixture f = new SchedulerFixture();
        f.submit(prompt(40, 0), 2, PLENTY);
        f.submit(prompt(40, 1), 2, PLENTY);
        f.steps(1);
        assertEquals(List.of(40, 24), f.model.lastPass().stream().map(Slice::count).toList());
    }

    @Test
    void shouldStandStillAtExactlyTheCreditAndCostNoRows() {
        SchedulerFixture f = new SchedulerFixture();
        int[] prompt = prompt(5, 2);
        FakeClient starved = f.submit(prompt, 20, 1 + 3);
        FakeClient other = f.submit(prompt(5, 4), 40, PLENTY);
        f.steps(10);
        assertEquals(3, starved.tokens.size());
        assertEquals(10, other.tokens.size());
        assertEquals(1, f.model.lastPass().size());
        starved.demand = PLENTY;
        f.runToIdle();
        assertEquals(f.model.continuation(prompt, 20), starved.ids());
    }

    @Test
    void shouldNotPrefillWithoutDemand() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(5, 2), 20, 0);
        assertEquals(0, f.scheduler.step());
        assertEquals(-1, client.acceptedVersion);
        client.demand = 1;
        assertEquals(0, f.scheduler.step());
        assertEquals(1, client.acceptedVersion);
        assertEquals(0, f.model.passes().size());
        client.demand = 1;
        assertEquals(5, f.scheduler.step());
        assertEquals(1, client.tokens.size());
    }

    @Test
    void shouldLetACancelledSequenceGoBeforeTheNextStep() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient leaves = f.submit(prompt(5, 2), 20, PLENTY);
        FakeClient stays = f.submit(prompt(5, 3), 20, PLENTY);
        f.steps(2);
        long both = f.pool.usedBytes();
        leaves.cancelled = true;
        f.steps(1);
        assertEquals(2, leaves.tokens.size());
        assertEquals(3, stays.tokens.size());
        assertEquals(1, f.model.lastPass().size());
        assertEquals(both / 2, f.pool.usedBytes());
    }

    @Test
    void shouldFreeAStoppedSequenceAtOnceAndSaySoWhenThereIsDemand() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(5, 2), 20, 3);
        f.steps(3);
        assertEquals(2, client.tokens.size());
        client.stopRequested = true;
        f.steps(1);
        assertEquals(0, f.pool.usedBytes());
        assertNull(client.completion);
        assertFalse(f.scheduler.isEmpty());
        client.demand = 1;
        f.steps(1);
        Completion completion = client.completion;
        assertNotNull(completion);
        assertEquals(FinishReason.CANCELLED, completion.reason());
        assertEquals(new Usage(5, 2), completion.usage());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldRefuseWhatCanNeverFitWithTheNumbers() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 2);
        FakeClient context = f.submit(prompt(256, 0), 1, 1);
        assertEquals(ErrorCode.PROMPT_TOO_LONG, context.error);
        assertTrue(context.message.contains("tokens=256, context=256"), context.message);
        FakeClient memory = f.submit(prompt(60, 0), 5, 1);
        assertEquals(ErrorCode.PROMPT_TOO_LONG, memory.error);
        String numbers = "positions=65, needed_blocks=3, needed_bytes=" + 3 * f.model.kvCacheShape().blockBytes();
        assertTrue(memory.message.contains(numbers), memory.message);
        assertEquals(ErrorCode.INVALID_VALUE, f.submit(new int[0], 5, 1).error);
        assertNull(f.submit(prompt(60, 0), 4, 1).error);
    }

    @Test
    void shouldRefuseWhenTheQueueIsFull() {
        SchedulerFixture f = new SchedulerFixture(1, 2, 8, 8);
        f.submit(prompt(3, 0), 5, PLENTY);
        f.steps(1);
        assertNull(f.submit(prompt(3, 0), 5, PLENTY).error);
        assertNull(f.submit(prompt(3, 0), 5, PLENTY).error);
        FakeClient refused = f.submit(prompt(3, 0), 5, PLENTY);
        assertEquals(ErrorCode.BUSY, refused.error);
        assertTrue(refused.message.contains("queued=2, limit=2, running=1"), refused.message);
    }

    @Test
    void shouldAdmitInOrderOfArrivalEvenIfALaterOneWouldFit() {
        SchedulerFixture f = new SchedulerFixture(4, 4, 8, 4);
        FakeClient holder = f.submit(prompt(70, 0), 24, PLENTY); // three of four blocks
        f.steps(1);
        FakeClient large = f.submit(prompt(40, 1), 60, PLENTY); // two at first
        FakeClient small = f.submit(prompt(2, 2), 4, PLENTY); // one
        f.steps(10);
        assertFalse(holder.ended());
        assertTrue(large.tokens.isEmpty() && small.tokens.isEmpty());
        f.runToIdle();
        assertEquals(60, large.tokens.size());
        assertEquals(4, small.tokens.size());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldGiveUpOnAStreamWithoutCreditAfterTheTimeout() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(5, 0), 20, 2);
        f.steps(2);
        assertEquals(1000 * MS, f.scheduler.untilTimeoutNs());
        f.nowNs += 999 * MS;
        f.steps(1);
        assertNull(client.error);
        assertEquals(MS, f.scheduler.untilTimeoutNs());
        f.nowNs += MS;
        f.steps(1);
        assertEquals(ErrorCode.CREDIT_TIMEOUT, client.error);
        assertEquals(0, f.pool.usedBytes());
        assertTrue(f.scheduler.isEmpty());
    }

    @Test
    void shouldStartTheTimeoutAnewWithEveryCredit() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(5, 0), 20, 2);
        f.steps(2);
        f.nowNs += 900 * MS;
        client.demand = 1;
        f.steps(2);
        f.nowNs += 900 * MS;
        f.steps(1);
        assertNull(client.error);
        assertEquals(2, client.tokens.size());
    }

    @Test
    void shouldReportProgressEveryHalfSecondIfThereIsDemand() {
        SchedulerFixture f = new SchedulerFixture(16, 16, 8, 256);
        f.submit(prompt(2, 0), 100, PLENTY);
        f.steps(1);
        FakeClient client = f.submit(prompt(80, 0), 4, 3);
        for (int i = 0; i < 5; i++) {
            f.nowNs += 260 * MS;
            f.steps(1);
        }
        assertEquals(List.of("24/80", "40/80"), client.progress);
        assertEquals(0, client.demand);
    }

    @Test
    void shouldFollowOrPinWhenWeightsChange() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient pinned = f.submit(prompt(5, 0), 8, PLENTY, WeightsPolicy.PIN, List.of());
        FakeClient follower = f.submit(prompt(5, 0), 8, PLENTY, WeightsPolicy.FOLLOW, List.of());
        f.steps(3);
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        assertEquals(2, f.epochs.liveEpochs());
        f.steps(1);
        assertEquals(1, next.passes().size());
        assertEquals(1, f.model.lastPass().size());
        f.runToIdle();
        assertEquals(List.of(1L, 1L, 1L, 1L, 1L, 1L, 1L, 1L), versions(pinned));
        assertEquals(List.of(1L, 1L, 1L, 2L, 2L, 2L, 2L, 2L), versions(follower));
        assertEquals(f.model.continuation(prompt(5, 0), 8), pinned.ids());
        assertEquals(1, f.epochs.liveEpochs());
    }

    @Test
    void shouldComputeTheCacheAnewForWhoAsks() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(40, 0), 8, PLENTY, WeightsPolicy.FOLLOW_AND_RECOMPUTE, List.of());
        FakeClient other = f.submit(prompt(5, 0), 20, PLENTY);
        while (client.tokens.size() < 3) {
            f.steps(1);
        }
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        f.steps(1); // a chunk of 8 rows beside nobody of its epoch, then the rest, while the other stream flows
        int before = other.tokens.size();
        f.steps(1);
        assertEquals(before + 1, other.tokens.size());
        f.runToIdle();

        List<Integer> ids = client.ids();
        int[] soFar = IntStream.concat(
                IntStream.of(prompt(40, 0)), ids.subList(0, 3).stream().mapToInt(Integer::intValue)).toArray();
        assertEquals(next.continuation(soFar, 5), ids.subList(3, 8));
        assertEquals(List.of(1L, 1L, 1L, 2L, 2L, 2L, 2L, 2L), versions(client));
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), client.tokens.stream().map(GeneratedToken::seq).toList());
        assertEquals(f.model.continuation(prompt(5, 0), 20), other.ids());
    }

    private static List<Long> versions(FakeClient client) {
        return client.tokens.stream().map(GeneratedToken::weightsVersion).toList();
    }

    @Test
    void shouldEndAtMaxTokensAndAtTheContext() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient short3 = f.submit(prompt(5, 0), 3, PLENTY);
        FakeClient context = f.submit(prompt(250, 0), 1000, PLENTY);
        f.runToIdle();
        assertEquals(FinishReason.LENGTH, reason(short3));
        assertEquals(3, short3.tokens.size());
        assertEquals(FinishReason.LENGTH, reason(context));
        assertEquals(6, context.tokens.size());
        assertNull(short3.tokens.get(1).completion());
    }

    @Test
    void shouldEndAtAStopStringAcrossTokensWithTheTextBeforeIt() {
        SchedulerFixture f = new SchedulerFixture();
        int[] prompt = prompt(5, 0);
        int[] said = f.model.continuation(prompt, 8).stream().mapToInt(i -> i).toArray();
        String text = f.tokenizer.decode(said);
        FakeClient client = f.submit(prompt, 20, PLENTY, WeightsPolicy.PIN, List.of(text.substring(4, 7)));
        f.runToIdle();
        assertEquals(FinishReason.STOP, reason(client));
        assertEquals(text.substring(0, 4), client.text());
        assertEquals(7, client.tokens.size());
    }

    @Test
    void shouldMeasureTimesOnTheInjectedClock() {
        SchedulerFixture f = new SchedulerFixture();
        FakeClient client = f.submit(prompt(5, 0), 3, PLENTY);
        f.nowNs += 10 * MS;
        f.steps(1);
        f.nowNs += 20 * MS;
        f.steps(1);
        f.nowNs += 20 * MS;
        f.steps(1);
        Completion completion = client.completion;
        assertNotNull(completion);
        assertEquals(10.0, completion.timing().queueMs());
        assertEquals(10.0, completion.timing().firstTokenMs());
        assertEquals(50.0, completion.timing().totalMs());
        assertEquals(50.0, completion.timing().tokensPerS());
        assertEquals(new Usage(5, 3), completion.usage());
    }

    private static FinishReason reason(FakeClient client) {
        Completion completion = client.completion;
        assertNotNull(completion);
        return completion.reason();
    }
}

package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.status.SchedulerStats;

import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A prompt that begins like another is not computed again, and says the same. The model hashes all that it finds in its cache.
 */
class PrefixReuseTest {
    private static final long PLENTY = 1_000_000;

    private final SchedulerFixture f = new SchedulerFixture(SchedulerFixture.config(16, 32, 8), 64, 0.5);


    private static int[] join(int[] first, int... then) {
        return IntStream.concat(IntStream.of(first), IntStream.of(then)).toArray();
    }

    private static Usage usage(FakeClient client) {
        Completion completion = client.completion;
        assertNotNull(completion, client.message);
        return completion.usage();
    }

    private long computed() {
        return f.scheduler.stats().rows();
    }

    @Test
    void shouldComputeOnlyWhatDiffers() {
        FakeClient first = f.submit(prompt(100, 0), 5, PLENTY);
        f.runToIdle();
        assertEquals(new Usage(100, 5, 0), usage(first));
        long before = computed();
        int[] longer = join(prompt(100, 0), 7, 8, 9);
        FakeClient second = f.submit(longer, 5, PLENTY);
        f.runToIdle();
        assertEquals(new Usage(103, 5, 96), usage(second));
        assertEquals(7 + 4, computed() - before);
        assertEquals(f.model.continuation(longer, 5), second.ids());
        assertEquals(96, f.pool.stats().reusedTokens());
        assertEquals(0, f.scheduler.stats().recomputedRows());
        assertEquals(0, f.pool.usedBytes());
    }

    /** Logits of the last token of a prompt are nowhere but in a pass. */
    @Test
    void shouldComputeTheLastTokenOfAPromptWhateverIsKept() {
        f.submit(prompt(97, 0), 1, PLENTY);
        f.runToIdle();
        for (int length : new int[] {96, 97}) {
            FakeClient again = f.submit(prompt(length, 0), 3, PLENTY);
            f.runToIdle();
            assertEquals(length == 96 ? 64 : 96, usage(again).cachedTokens());
            assertEquals(f.model.continuation(prompt(length, 0), 3), again.ids());
        }
    }

    /** A conversation: the answer is part of the next prompt. */
    @Test
    void shouldReuseAnswersToo() {
        FakeClient first = f.submit(prompt(40, 0), 40, PLENTY);
        f.runToIdle();
        int[] next = join(join(prompt(40, 0), first.ids().stream().mapToInt(i -> i).toArray()), 3, 4, 5);
        FakeClient second = f.submit(next, 4, PLENTY);
        f.runToIdle();
        assertEquals(64, usage(second).cachedTokens());
        assertEquals(f.model.continuation(next, 4), second.ids());
    }

    /** Of many that come at once, one computes what they have in common. */
    @Test
    void shouldShareAmongStreamsThatRunTogether() {
        List<FakeClient> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(f.submit("c" + i, join(prompt(160, 0), 50 + i), 5, PLENTY));
        }
        f.runToIdle();
        for (int i = 0; i < 8; i++) {
            assertEquals(f.model.continuation(join(prompt(160, 0), 50 + i), 5), clients.get(i).ids());
        }
        long prompts = 8 * 161;
        assertTrue(computed() < prompts / 3, "rows=" + computed());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldScoreAWholePromptThoughItIsKept() {
        int[] prompt = prompt(100, 0);
        f.submit(prompt, 1, PLENTY);
        f.runToIdle();
        FakeClient scored = new FakeClient(PLENTY);
        f.scheduler.submit(new SequenceRequest(99, "s", prompt, 5, 0, WeightsPolicy.PIN,
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), FakeLanguageModel.VOCABULARY, prompt),
                f.tokenizer.newDetokenizer(), new StopMatcher(List.of()), f.tokenizer::isEndOfGeneration,
                SchedulerFixture.MEMORY, f.nowNs, scored));
        f.runToIdle();
        assertEquals(99, scored.scores.size());
        assertEquals(0, usage(scored).cachedTokens());
        assertEquals(f.model.continuation(prompt, 5), scored.ids());
    }

    /** What a stalled stream had computed is taken from there again as far as nobody needed it. */
    @Test
    void shouldComputeOnlyWhatIsGoneOfAStreamThatComesBack() {
        SchedulerFixture small = new SchedulerFixture(SchedulerFixture.config(16, 32, 8), 8, 1);
        FakeClient stalled = small.submit("a", prompt(150, 0), 20, 1 + 1); // five blocks
        small.steps(5);
        FakeClient other = small.submit("b", prompt(120, 1), 8, PLENTY); // four
        small.runToIdle();
        assertTrue(other.ended());
        assertEquals(1, small.scheduler.stats().blocksTaken());
        stalled.demand = PLENTY;
        small.runToIdle();
        assertEquals(small.model.continuation(prompt(150, 0), 20), stalled.ids());
        SchedulerStats stats = small.scheduler.stats();
        assertTrue(stats.recomputedRows() <= 150 - 96 && stats.recomputedRows() > 0, stats.toString());
        assertEquals(0, usage(stalled).cachedTokens(), "it had computed them itself");
    }

    @Test
    void shouldReuseNothingOfOtherWeightsAndForgetThemWithTheirLastStream() {
        FakeClient pinned = f.submit(prompt(100, 0), 50, PLENTY);
        f.steps(3);
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        FakeClient ofNext = f.submit(prompt(100, 0), 5, PLENTY);
        f.steps(14);
        assertEquals(6 * f.model.kvCacheShape().blockBytes(), f.pool.stats().sharedBytes(), "three of each version");
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(100, 0), 50), pinned.ids());
        assertEquals(next.continuation(prompt(100, 0), 5), ofNext.ids());
        assertEquals(0, usage(ofNext).cachedTokens());
        f.steps(1);
        assertTrue(f.pool.sharesOnly(2));
        FakeClient again = f.submit(prompt(100, 0), 5, PLENTY);
        f.runToIdle();
        assertEquals(96, usage(again).cachedTokens());
        assertEquals(next.continuation(prompt(100, 0), 5), again.ids());
    }

    @Test
    void shouldForgetOlderWeightsThatAStreamHasAskedForWithThatStream() {
        try (Lease _ = f.epochs.lease()) {
            f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, new FakeLanguageModel(256, 64, 2), () -> { }));
            f.steps(2);
            FakeClient ofOld = f.submit(1, prompt(100, 0), 5);
            f.runToIdle();
            assertEquals(f.model.continuation(prompt(100, 0), 5), ofOld.ids());
            f.steps(1);
            assertTrue(f.pool.sharesOnly(2));
        }
    }

    /** Another head of the same version has the same keys and values. */
    @Test
    void shouldReuseWhatWasComputedBeforeAChangeOfTheHead() {
        f.submit(prompt(100, 0), 5, PLENTY);
        f.runToIdle();
        f.epochs.publish(new ModelEpoch(1, HeadMode.CACHED_TRANSPOSE, f.model, () -> { }));
        FakeClient again = f.submit(prompt(100, 0), 5, PLENTY);
        f.runToIdle();
        assertEquals(96, usage(again).cachedTokens());
    }

    /** A follower that keeps its cache has keys and values of both versions: nobody else gets those. */
    @Test
    void shouldShareNothingThatAFollowerComputesWithMixedVersions() {
        FakeClient follower = f.submit(prompt(40, 0), 100, PLENTY, WeightsPolicy.FOLLOW, List.of());
        f.steps(10);
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        f.runToIdle();
        int[] all = join(prompt(40, 0), follower.ids().stream().mapToInt(i -> i).toArray());
        assertEquals(100, follower.tokens.size());
        assertEquals(0, f.pool.stats().sharedBytes());
        int[] begin = Arrays.copyOf(all, 130);
        FakeClient same = f.submit(begin, 5, PLENTY);
        f.runToIdle();
        assertEquals(0, usage(same).cachedTokens());
        assertEquals(next.continuation(begin, 5), same.ids());
    }

    /**
     * One that computes its cache anew takes what others have computed with the new weights, and writes in no block of the old.
     */
    @Test
    void shouldTakeTheNewPrefixForAFollowerThatComputesAnew() {
        FakeClient follower = f.submit("a", prompt(100, 0), 100, PLENTY, WeightsPolicy.FOLLOW_AND_RECOMPUTE, List.of());
        f.steps(10);
        FakeClient pinned = f.submit("b", prompt(100, 0), 100, PLENTY);
        f.steps(3);
        int had = follower.tokens.size();
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.publish(new ModelEpoch(2, HeadMode.PACKED, next, () -> { }));
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(100, 0), 100), pinned.ids());
        int[] soFar = join(prompt(100, 0), follower.ids().stream().limit(had).mapToInt(i -> i).toArray());
        assertEquals(next.continuation(soFar, 100 - had), follower.ids().subList(had, 100));
        assertNotEquals(pinned.ids(), follower.ids());
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldTellProgressFromWhereItBegins() {
        f.submit(prompt(160, 0), 1, PLENTY);
        f.runToIdle();
        f.submit("z", prompt(3, 90), 200, PLENTY); // makes chunks small
        f.steps(1);
        FakeClient again = f.submit("a", join(prompt(160, 0), prompt(40, 5)), 2, PLENTY);
        f.steps(1);
        f.nowNs += 600 * SchedulerFixture.MS;
        f.steps(1);
        assertEquals(List.of("176/200"), again.progress);
        assertEquals(List.of(1, 8), f.model.lastPass().stream().map(Slice::count).toList());
    }

    /** What a stalled stream and the next one have in common is of no use to it twice: as shared, and as given back. */
    @Test
    void shouldTakeNoBlocksForOneThatWouldNotFitWithThem() {
        SchedulerFixture small = new SchedulerFixture(SchedulerFixture.config(4, 32, 64), 4, 1);
        FakeClient stalled = small.submit("a", prompt(64, 0), 20, 1 + 1); // two blocks, which the next begins with
        small.steps(2);
        FakeClient runs = small.submit("b", prompt(10, 50), 20, PLENTY); // one block
        small.steps(1);
        FakeClient next = small.submit("c", join(prompt(64, 0), prompt(36, 9)), 20, PLENTY); // two more
        small.steps(10);
        assertEquals(0, small.scheduler.stats().blocksTaken(), "with one more it would wait for another in its slot");
        assertEquals(1, small.scheduler.stats().running());
        small.runToIdle();
        assertTrue(runs.ended() && next.ended());
        assertEquals(64, usage(next).cachedTokens());
        assertEquals(0, small.scheduler.stats().blocksTaken(), "it shares them");
        stalled.demand = PLENTY;
        small.runToIdle();
        assertEquals(small.model.continuation(prompt(64, 0), 20), stalled.ids());
        assertEquals(small.model.continuation(join(prompt(64, 0), prompt(36, 9)), 20), next.ids());
    }

    /** A slot costs the tokens that somebody has to compute: prompts that begin like others wait no longer than short ones. */
    @Test
    void shouldChargeNoTurnForWhatOthersHaveComputed() {
        SchedulerFixture one = new SchedulerFixture(SchedulerFixture.config(1, 64, 64), 64, 0.5);
        one.submit("a", prompt(96, 0), 1, PLENTY);
        one.runToIdle();
        List<FakeClient> same = new ArrayList<>();
        List<FakeClient> shorter = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            same.add(one.submit("a", join(prompt(96, 0), 1, 2, 3, i + 1), 4, PLENTY));
            shorter.add(one.submit("b", prompt(4, 50 + i), 4, PLENTY));
        }
        while (shorter.stream().filter(FakeClient::ended).count() < 10) {
            one.steps(1);
        }
        assertEquals(10.0, (double) same.stream().filter(FakeClient::ended).count(), 1);
        one.runToIdle();
        assertEquals(96, usage(same.getLast()).cachedTokens());
    }
}

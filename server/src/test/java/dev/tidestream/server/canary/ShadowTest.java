package dev.tidestream.server.canary;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.Lease;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a version would say, beside what live streams are told. */
class ShadowTest {
    private static final int V = TrialFixture.VOCABULARY;

    /** Tokens and log-probabilities of streams side by side; but for the numbers of streams and times. */
    private static List<List<String>> batch(TrialFixture f) {
        List<Flux<List<String>>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(f.stream(TrialFixture.prompt(3 + 9 * i, i), 24, i, 0.9f).ofType(TokenEvent.Token.class)
                    .map(t -> t.token() + " " + t.logprob() + " " + t.weightsVersion()).collectList().flux());
        }
        return Flux.mergeSequential(all).collectList().blockOptional().orElseThrow();
    }

    @Test
    void shouldLeaveEveryBitOfLiveStreamsAsItIs() {
        List<List<String>> alone;
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.5f)) {
            alone = batch(f);
            assertEquals(0, f.trials.shadow().stream().count());
        }
        try (TrialFixture f = new TrialFixture(new ShadowLimits(3, 5, 1 << 20), 1.5f)) {
            f.trials.begin(new ShadowSpec(2, 1), f.lease(2));
            assertEquals(alone, batch(f));
            ShadowFigures seen = f.trials.endShadow().orElseThrow().figures();
            assertTrue(seen.rows() > 0 && seen.streams() >= 3 && seen.maxDelta() > 0, seen.toString());
            assertEquals(alone, batch(f), "after its end");
        }
        assertEquals(8, alone.size());
    }

    @Test
    void shouldCompareWhatTheVersionComputesOfTheSameTokens() {
        int[] prompt = TrialFixture.prompt(9, 3);
        int count = 40;
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.5f)) {
            f.trials.begin(new ShadowSpec(2, 1), f.lease(2));
            List<TokenEvent.Token> tokens = f.tokens(prompt, count, 5, 0.9f);
            ShadowFigures seen = f.trials.endShadow().orElseThrow().figures();
            int[] all = Arrays.copyOf(prompt, prompt.length + count);
            for (int i = 0; i < count; i++) {
                all[prompt.length + i] = tokens.get(i).token();
            }
            ShadowFigures expected = expected(f, all, prompt.length);
            assertEquals(count, seen.rows());
            assertEquals(expected.maxDelta(), seen.maxDelta(), "the very bits");
            assertEquals(expected.klSum(), seen.klSum());
            assertEquals(expected.maxKl(), seen.maxKl());
            assertEquals(expected.otherTokens(), seen.otherTokens());
            assertTrue(seen.otherTokens() > 0, "or nothing is tested");
            assertEquals(prompt.length + count - 1, seen.computedRows());
            ShadowFigures.First first = seen.firsts().getFirst();
            ShadowFigures.First own = expected.firsts().getFirst();
            assertEquals(new ShadowFigures.First(first.stream(), own.position(), own.liveToken(), own.shadowToken()), first);
        }
    }

    private static ShadowFigures expected(TrialFixture f, int[] all, int prompt) {
        ShadowFigures figures = ShadowFigures.NONE;
        try (Lease one = f.lease(1); Lease two = f.lease(2)) {
            float[] live = TestModels.logits(TrialFixture.forward(one.epoch().loaded()), all, 16);
            float[] other = TestModels.logits(TrialFixture.forward(two.epoch().loaded()), all, 16);
            for (int position = prompt; position < all.length; position++) {
                int row = (position - 1) * V;
                LogitsDistance distance = LogitsDistance.of(KernelSelection.fastest(), live, row, other, row, V);
                figures = figures.with(distance);
                if (!distance.sameToken() && figures.firsts().isEmpty()) {
                    figures = figures.with(new ShadowFigures.First(0, position, distance.liveToken(), distance.otherToken()));
                }
            }
        }
        return figures;
    }

    @Test
    void shouldCatchUpWithALongPromptInBoundedSteps() {
        try (TrialFixture f = new TrialFixture(new ShadowLimits(1, 4, 1 << 20), 1.5f)) {
            f.trials.begin(new ShadowSpec(2, 1), f.lease(2));
            assertEquals(60, f.tokens(TrialFixture.prompt(60, 1), 60, 5, 0f).size());
            ShadowFigures seen = f.trials.endShadow().orElseThrow().figures();
            assertTrue(seen.rows() > 20 && seen.rows() < 60, seen.toString());
            assertEquals(1, seen.streams());
        }
    }

    @Test
    void shouldDoWithoutStreamsThatItHasNoMemoryFor() {
        try (TrialFixture f = new TrialFixture(new ShadowLimits(2, 16, 1), 1.5f)) {
            assertTrue(failsFor(f), "no block fits");
        }
        long block = blockBytes();
        try (TrialFixture f = new TrialFixture(new ShadowLimits(2, 16, block), 1.5f)) {
            f.trials.begin(new ShadowSpec(2, 1), f.lease(2));
            assertEquals(60, f.tokens(TrialFixture.prompt(9, 1), 60, 5, 0f).size());
            ShadowFigures seen = f.trials.shadow().orElseThrow().figures();
            assertEquals(1, seen.leftOut());
            assertEquals(32 - 9 + 1, seen.rows(), "as many as a block of 32 positions holds");
            assertEquals(10, f.tokens(TrialFixture.prompt(9, 1), 10, 5, 0f).size());
            assertEquals(seen.rows() + 10, f.trials.shadow().orElseThrow().figures().rows(), "the memory is there for another");
        }
    }

    private static boolean failsFor(TrialFixture f) {
        Lease lease = f.lease(2);
        try {
            f.trials.begin(new ShadowSpec(2, 1), lease);
            return false;
        } catch (IllegalArgumentException e) {
            lease.close();
            return true;
        }
    }

    private static long blockBytes() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.5f); Lease lease = f.lease(1)) {
            return lease.epoch().model().kvCacheShape().blockBytes();
        }
    }

    @Test
    void shouldCountRowsThatAreNotFiniteAndEndTheCanary() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, Float.MAX_VALUE)) {
            f.trials.begin(new ShadowSpec(2, 1), f.lease(2));
            List<CanaryReport> ended = new ArrayList<>();
            f.trials.onCanaryEnd(ended::add);
            f.trials.begin(new CanarySpec(2, 1e-9, CanarySpec.By.SEED, RollbackRule.NON_FINITE_ONLY), f.lease(2));
            assertEquals(10, f.tokens(TrialFixture.prompt(9, 1), 10, 5, 0f).size());
            ShadowFigures seen = f.trials.shadow().orElseThrow().figures();
            assertEquals(0, seen.rows());
            assertEquals(10, seen.nonFiniteRows());
            assertFalse(f.trials.canary().orElseThrow().runs());
            assertEquals(CanaryEnd.NON_FINITE, Objects.requireNonNull(ended.getFirst().end()).why());
        }
    }
}

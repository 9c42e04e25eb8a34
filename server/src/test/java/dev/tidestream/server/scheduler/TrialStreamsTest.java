package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.epoch.Trial;

import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Streams that begin with a version that is tried. */
class TrialStreamsTest {
    private static final long PLENTY = 1_000_000;

    /** Takes all new streams while a version is set. */
    private static final class Every implements Trial {
        long version = 2;

        @Override
        public long weightsVersion() {
            return version;
        }

        @Override
        public boolean takes(long seed, Object account) {
            return true;
        }
    }

    /** Another model, until its passes are so many: from then on its logits are not finite. */
    private record Poisoned(FakeLanguageModel model, int passes) implements LanguageModel {
        @Override
        public int vocabularySize() {
            return model.vocabularySize();
        }

        @Override
        public int contextLength() {
            return model.contextLength();
        }

        @Override
        public KvCacheShape kvCacheShape() {
            return model.kvCacheShape();
        }

        @Override
        public Kernels kernels() {
            return model.kernels();
        }

        @Override
        public int maxRows() {
            return model.maxRows();
        }

        @Override
        public int forward(List<Slice> slices, float[] logits) {
            int rows = model.forward(slices, logits);
            if (model.passes().size() > passes) {
                Arrays.fill(logits, 0, rows * model.vocabularySize(), Float.NaN);
            }
            return rows;
        }
    }

    private static List<Long> versions(FakeClient client) {
        return client.tokens.stream().map(GeneratedToken::weightsVersion).toList();
    }

    private static FakeLanguageModel hold(SchedulerFixture f, int goodPasses) {
        FakeLanguageModel next = new FakeLanguageModel(256, 64, 2);
        f.epochs.hold(new ModelEpoch(2, HeadMode.PACKED, new Poisoned(next, goodPasses), () -> { }));
        return next;
    }

    @Test
    void shouldBeginWithTheVersionThatIsTried() {
        SchedulerFixture f = new SchedulerFixture();
        FakeLanguageModel next = hold(f, 1000);
        Every trial = new Every();
        f.epochs.tryOut(trial);
        FakeClient tried = f.submit(prompt(5, 0), 8, PLENTY);
        FakeClient asks = f.submit(1, prompt(5, 0), 8);
        f.steps(3);
        trial.version = Trial.NO_VERSION;
        FakeClient later = f.submit(prompt(5, 0), 8, PLENTY);
        f.runToIdle();
        assertEquals(2, tried.acceptedVersion);
        assertEquals(next.continuation(prompt(5, 0), 8), tried.ids(), "it goes on after the trial");
        assertEquals(f.model.continuation(prompt(5, 0), 8), asks.ids(), "who names a version gets it");
        assertEquals(f.model.continuation(prompt(5, 0), 8), later.ids());
        assertEquals(1, f.epochs.weightsVersion());
    }

    @Test
    void shouldGoOnWithTheCurrentWeightsWhereThoseOnTrialAreOfNoUse() {
        SchedulerFixture f = new SchedulerFixture();
        FakeLanguageModel next = hold(f, 4);
        f.epochs.tryOut(new Every());
        FakeClient early = f.submit(prompt(5, 0), 8, PLENTY);
        f.steps(5);
        FakeClient late = f.submit(prompt(7, 3), 8, PLENTY);
        FakeClient explicit = f.submit(2, prompt(5, 0), 8);
        f.runToIdle();
        assertNull(early.error, early.message);
        assertEquals(List.of(2L, 2L, 2L, 2L, 1L, 1L, 1L, 1L), versions(early));
        List<Integer> before = next.continuation(prompt(5, 0), 4);
        List<Integer> all = new ArrayList<>(before);
        int[] soFar = new int[9];
        System.arraycopy(prompt(5, 0), 0, soFar, 0, 5);
        for (int i = 0; i < 4; i++) {
            soFar[5 + i] = before.get(i);
        }
        all.addAll(f.model.continuation(soFar, 4));
        assertEquals(all, early.ids(), "all tokens so far are computed anew");
        assertNull(late.error, late.message);
        assertEquals(f.model.continuation(prompt(7, 3), 8), late.ids(), "as if it had begun so");
        assertEquals(ErrorCode.INTERNAL, explicit.error, "who has asked for these weights is told");
        assertEquals(0, f.pool.usedBytes());
    }

    @Test
    void shouldFollowBackWhenTheTrialEnds() {
        SchedulerFixture f = new SchedulerFixture();
        hold(f, 1000);
        Every trial = new Every();
        f.epochs.tryOut(trial);
        FakeClient follows = f.submit(prompt(5, 0), 8, PLENTY, WeightsPolicy.FOLLOW_AND_RECOMPUTE, List.of());
        f.steps(3);
        trial.version = Trial.NO_VERSION;
        f.runToIdle();
        assertEquals(List.of(2L, 2L, 2L, 1L, 1L, 1L, 1L, 1L), versions(follows));
        assertTrue(f.epochs.publishHeld(2));
        assertEquals(2, f.epochs.weightsVersion());
    }
}

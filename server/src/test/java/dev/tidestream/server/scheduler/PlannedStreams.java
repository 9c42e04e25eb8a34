package dev.tidestream.server.scheduler;

import java.util.List;
import java.util.Map;
import java.util.Random;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Priority;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.kv.KvCachePool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

/** Streams as they were planned, run alone or together on one model, and compared to the bit. */
final class PlannedStreams {
    static final long PLENTY = 1_000_000;

    private PlannedStreams() {}

    /** One stream. */
    record Plan(int[] prompt, int maxTokens, int promptLogprobs, SamplingParams params, String connection,
            @Nullable ServedAdapter adapter) {
        Plan(int[] prompt, int maxTokens, int promptLogprobs, SamplingParams params, String connection) {
            this(prompt, maxTokens, promptLogprobs, params, connection, null);
        }

        Plan with(@Nullable ServedAdapter other) {
            return new Plan(prompt, maxTokens, promptLogprobs, params, connection, other);
        }

        /** With any sampling, which is seeded. */
        static SamplingParams params(Random random) {
            boolean penalties = random.nextBoolean();
            return new SamplingParams(
                    random.nextInt(3) == 0 ? 0 : 1.2f, random.nextInt(3) * 10, random.nextBoolean() ? 1 : 0.9f, 0,
                    penalties ? 1.3f : 1, penalties ? 0.2f : 0, penalties ? 0.1f : 0,
                    Map.of(0, -100f, 2, -100f), random.nextLong(), 2);
        }

        /** One connection has batch streams. */
        Urgency urgency() {
            return new Urgency(connection.equals("c3") ? Priority.BATCH : Priority.INTERACTIVE, Urgency.NO_DEADLINE);
        }

        int positions() {
            return prompt.length + maxTokens;
        }
    }

    /** A scheduler over a model. */
    static final class Run implements AutoCloseable {
        final KvCachePool pool;
        final Scheduler scheduler;
        private final LanguageModel model;
        private final CurrentEpoch epochs;
        private final FakeTokenizer tokenizer = new FakeTokenizer();
        private long nowNs;
        private long streams;

        Run(LanguageModel model, SchedulerConfig config, int kvBlocks, double prefixShare) {
            this.model = model;
            epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, model, () -> { }));
            pool = new KvCachePool(model.kvCacheShape(), kvBlocks * model.kvCacheShape().blockBytes(), prefixShare);
            scheduler = new Scheduler(config, epochs, pool, () -> nowNs);
        }

        FakeClient submit(Plan plan, FakeClient client) {
            Sampler sampler = new Sampler(KernelSelection.fastest(), plan.params(), model.vocabularySize(), plan.prompt());
            SequenceRequest request = new SequenceRequest(++streams, plan.connection(), plan.prompt(), plan.maxTokens(),
                    plan.promptLogprobs(), WeightsPolicy.PIN, sampler, tokenizer.newDetokenizer(),
                    new StopMatcher(List.of()), id -> false, SchedulerFixture.MEMORY, nowNs, client).asUrgentAs(plan.urgency());
            scheduler.submit(plan.adapter() == null ? request : request.withAdapter(plan.adapter()));
            return client;
        }

        int step() {
            nowNs++;
            return scheduler.step();
        }

        @Override
        public void close() {
            scheduler.failAll(ErrorCode.INTERNAL, "over");
            pool.close();
            epochs.close();
        }
    }

    /** What a stream says that nobody disturbs, with room for all of it and nothing to share. */
    static FakeClient alone(LanguageModel model, Plan plan) {
        int blocks = model.kvCacheShape().blocksFor(plan.positions());
        try (Run run = new Run(model, SchedulerFixture.config(1, 64, model.maxRows()), blocks, 0)) {
            FakeClient client = run.submit(plan, new FakeClient(PLENTY));
            while (run.step() > 0) { }
            assertNotNull(client.completion, client.message);
            return client;
        }
    }

    static void assertSame(FakeClient expected, FakeClient actual, String message) {
        Completion end = expected.completion;
        Completion actualEnd = actual.completion;
        assertNotNull(end);
        assertNotNull(actualEnd, message + ": " + actual.message);
        assertEquals(expected.ids(), actual.ids(), message);
        for (int i = 0; i < expected.tokens.size(); i++) {
            assertEquals(i, actual.tokens.get(i).seq(), message);
            assertSame(expected.tokens.get(i).sample(), actual.tokens.get(i).sample(), message + ", token=" + i);
        }
        assertEquals(expected.scores.size(), actual.scores.size(), message);
        for (int i = 0; i < expected.scores.size(); i++) {
            assertSame(expected.scores.get(i), actual.scores.get(i), message + ", score=" + i);
        }
        assertEquals(expected.text(), actual.text(), message);
        assertEquals(end.reason(), actualEnd.reason(), message);
        assertEquals(end.usage().promptTokens(), actualEnd.usage().promptTokens(), message);
        assertEquals(end.usage().completionTokens(), actualEnd.usage().completionTokens(), message);
    }

    private static void assertSame(Sample expected, Sample actual, String message) {
        assertEquals(expected.token(), actual.token(), message);
        assertEquals(Float.floatToRawIntBits(expected.logprob()), Float.floatToRawIntBits(actual.logprob()), message);
        assertArrayEquals(expected.topTokens(), actual.topTokens(), message);
        assertArrayEquals(expected.topLogprobs(), actual.topLogprobs(), message);
    }
}

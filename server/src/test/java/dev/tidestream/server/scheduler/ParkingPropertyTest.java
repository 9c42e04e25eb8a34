package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.status.SchedulerStats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A stream that stalls, loses its slot and its KV blocks at any point and goes on says the same as one that nobody disturbs:
 * tokens, log-probabilities to the bit, text and end. Streams have penalties, stop strings and seeds, and stall at random.
 */
class ParkingPropertyTest {
    private static final String STORIES = "models/stories260K/stories260K.gguf";
    private static final int STREAMS = 7;
    private static final long PLENTY = 1_000_000;

    /** A model, and what turns its tokens into text. */
    private record Subject(LanguageModel model, Tokenizer tokenizer, int longestPrompt, int mostTokens) {}

    /** One stream. */
    private record Plan(int[] prompt, int maxTokens, SamplingParams params, List<String> stops, String connection) {}

    /** What happened to all streams. */
    private record Disturbance(long recomputedRows, long slotsGivenBack, long blocksTaken) {}

    @Test
    void shouldGoOnWithTheSameTokensOfAModelThatHashesItsCache() {
        long blocksTaken = 0;
        for (long seed = 0; seed < 150; seed++) {
            Subject subject = new Subject(new FakeLanguageModel(256, 16, seed), new FakeTokenizer(), 90, 60);
            blocksTaken += compare(subject, seed, STREAMS).blocksTaken();
        }
        assertTrue(blocksTaken > 500, "taken=" + blocksTaken);
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldGoOnWithTheSameBitsOfARealModel(KvType kvType) {
        try (GgufFile file = GgufFile.open(SharedData.path(STORIES));
                LoadedModel loaded = TestModels.load(STORIES, KernelSelection.fastest())) {
            Tokenizer tokenizer = GgufTokenizer.tokenizer(file.metadata());
            for (long seed = 0; seed < 4; seed++) {
                LanguageModel model = loaded.newTransformer(
                        WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.F32, kvType), 16);
                Disturbance disturbance = compare(new Subject(model, tokenizer, 80, 50), seed, STREAMS);
                assertTrue(disturbance.recomputedRows() > 50 && disturbance.slotsGivenBack() > 5, disturbance.toString());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q4_0", "Q8_0"})
    void shouldGoOnWithTheSameBitsOfAQuantisedModel(TensorFormat format) {
        try (GgufFile file = new RandomLlama(format).tame().file();
                LoadedModel loaded = ModelLoader.load(
                        file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            for (long seed = 0; seed < 4; seed++) {
                LanguageModel model = loaded.newTransformer(
                        WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.INT8, KvType.F16), 16);
                Disturbance disturbance = compare(new Subject(model, new FakeTokenizer(), 60, 50), seed, STREAMS);
                assertTrue(disturbance.blocksTaken() > 2, disturbance.toString());
            }
        }
    }

    private static Disturbance compare(Subject subject, long seed, int streams) {
        Random random = new Random(seed * 0x9E37_79B9_7F4A_7C15L);
        List<Plan> plans = IntStream.range(0, streams).mapToObj(i -> plan(subject, random)).toList();
        List<FakeClient> undisturbed = new ArrayList<>();
        for (Plan plan : plans) {
            undisturbed.add(alone(subject, plan));
        }
        List<FakeClient> stalling = new ArrayList<>();
        Disturbance disturbance = together(subject, plans, random, stalling);
        for (int i = 0; i < streams; i++) {
            assertSame(undisturbed.get(i), stalling.get(i), "seed=" + seed + ", stream=" + i);
        }
        return disturbance;
    }

    private static Plan plan(Subject subject, Random random) {
        int vocabulary = subject.model().vocabularySize();
        int[] prompt = random.ints(1 + random.nextInt(subject.longestPrompt()), 3, vocabulary - 1).toArray();
        int maxTokens = 1 + random.nextInt(subject.mostTokens());
        boolean penalties = random.nextBoolean();
        SamplingParams params = new SamplingParams(
                random.nextInt(3) == 0 ? 0 : 1.2f, random.nextInt(3) * 10, random.nextBoolean() ? 1 : 0.9f, 0,
                penalties ? 1.3f : 1, penalties ? 0.2f : 0, penalties ? 0.1f : 0, Map.of(0, -100f, 2, -100f), random.nextLong(), 2);
        List<String> stops = switch (random.nextInt(3)) {
            case 0 -> List.of("e", "zz");
            case 1 -> List.of("qqqq");
            default -> List.of();
        };
        return new Plan(prompt, maxTokens, params, stops, "c" + random.nextInt(3));
    }

    private static FakeClient alone(Subject subject, Plan plan) {
        FakeClient client = new FakeClient(PLENTY);
        try (Run run = new Run(subject, 1, 64)) {
            run.submit(plan, client);
            while (run.scheduler.step() > 0) { }
            assertNotNull(client.completion, client.message);
        }
        return client;
    }

    /** All of them, with two slots and too few KV blocks, and demand that comes in drops. */
    private static Disturbance together(Subject subject, List<Plan> plans, Random random, List<FakeClient> clients) {
        try (Run run = new Run(subject, 2, 7)) {
            for (Plan plan : plans) {
                FakeClient client = new FakeClient(random.nextInt(3));
                clients.add(client);
                run.submit(plan, client);
                run.scheduler.step();
            }
            int steps = 0;
            while (!run.scheduler.isEmpty()) {
                FakeClient lucky = clients.get(random.nextInt(clients.size()));
                if (random.nextInt(4) == 0 && !lucky.ended()) {
                    lucky.demand += 1 + random.nextInt(6);
                }
                run.scheduler.step();
                run.nowNs++;
                assertTrue(++steps < 200_000, () -> "streams do not end: " + run.scheduler.stats());
            }
            assertEquals(0, run.pool.usedBytes());
            SchedulerStats stats = run.scheduler.stats();
            return new Disturbance(stats.recomputedRows(), stats.slotsGivenBack(), stats.blocksTaken());
        }
    }

    private static void assertSame(FakeClient expected, FakeClient actual, String message) {
        assertNotNull(actual.completion, message + ": " + actual.message);
        assertEquals(expected.ids(), actual.ids(), message);
        assertEquals(expected.text(), actual.text(), message);
        for (int i = 0; i < expected.tokens.size(); i++) {
            GeneratedToken e = expected.tokens.get(i);
            GeneratedToken a = actual.tokens.get(i);
            assertEquals(i, a.seq(), message);
            assertEquals(e.text(), a.text(), message);
            assertEquals(Float.floatToRawIntBits(e.sample().logprob()), Float.floatToRawIntBits(a.sample().logprob()), message);
            assertArrayEquals(e.sample().topTokens(), a.sample().topTokens(), message);
            assertArrayEquals(e.sample().topLogprobs(), a.sample().topLogprobs(), message);
        }
        Completion end = expected.completion;
        Completion actualEnd = actual.completion;
        assertNotNull(end);
        assertEquals(end.reason(), actualEnd.reason(), message);
        assertEquals(end.usage(), actualEnd.usage(), message);
    }

    /** A scheduler over the model. */
    private static final class Run implements AutoCloseable {
        final KvCachePool pool;
        final Scheduler scheduler;
        private final Subject subject;
        private final CurrentEpoch epochs;
        private long nowNs;
        private long streams;

        Run(Subject subject, int slots, int kvBlocks) {
            this.subject = subject;
            epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, subject.model(), () -> { }));
            pool = new KvCachePool(subject.model().kvCacheShape(), kvBlocks * subject.model().kvCacheShape().blockBytes());
            scheduler = new Scheduler(SchedulerFixture.config(slots, 64, 5), epochs, pool, () -> nowNs);
        }

        void submit(Plan plan, FakeClient client) {
            scheduler.submit(new SequenceRequest(++streams, plan.connection(), plan.prompt(), plan.maxTokens(), WeightsPolicy.PIN,
                    new Sampler(KernelSelection.fastest(), plan.params(), subject.model().vocabularySize(), plan.prompt()),
                    subject.tokenizer().newDetokenizer(plan.prompt()), new StopMatcher(plan.stops()), id -> false,
                    SchedulerFixture.MEMORY, nowNs, client));
        }

        @Override
        public void close() {
            scheduler.failAll(ErrorCode.INTERNAL, "over");
            pool.close();
            epochs.close();
        }
    }
}

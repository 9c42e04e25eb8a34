package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.scheduler.PlannedStreams.Plan;
import dev.tidestream.server.scheduler.PlannedStreams.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Prompts of which four fifths are the same: tokens and log-probabilities with and without reuse, alone and beside 15 others. */
class PrefixBitsTest {
    private static final int STREAMS = 16;
    private static final int PROMPT = 200;
    private static final int COMMON = 160;
    private static final int BLOCKS = 1000;

    private static List<Plan> plans(int vocabulary, int prompt, int common, int tokens) {
        Random random = new Random(5);
        int[] beginning = random.ints(common, 3, Math.min(120, vocabulary - 1)).toArray();
        List<Plan> plans = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            int[] ids = Arrays.copyOf(beginning, prompt);
            for (int t = common; t < prompt; t++) {
                ids[t] = 3 + random.nextInt(Math.min(120, vocabulary - 1) - 3);
            }
            plans.add(new Plan(ids, tokens, -1, Plan.params(random), "c" + i % 3));
        }
        return plans;
    }

    /** Rows computed for them, and what they said. */
    private record Said(List<FakeClient> clients, long rows) {}

    private static Said together(LanguageModel model, List<Plan> plans, double share) {
        try (Run run = new Run(model, SchedulerFixture.config(STREAMS, 64, 32), BLOCKS, share)) {
            List<FakeClient> clients = plans.stream()
                    .map(plan -> run.submit(plan, new FakeClient(PlannedStreams.PLENTY))).toList();
            while (run.step() > 0) { }
            return new Said(clients, run.scheduler.stats().rows());
        }
    }

    /** One after the other. */
    private static Said inTurn(LanguageModel model, List<Plan> plans, double share) {
        try (Run run = new Run(model, SchedulerFixture.config(1, 64, 32), BLOCKS, share)) {
            List<FakeClient> clients = new ArrayList<>();
            for (Plan plan : plans) {
                clients.add(run.submit(plan, new FakeClient(PlannedStreams.PLENTY)));
                while (run.step() > 0) { }
            }
            return new Said(clients, run.scheduler.stats().rows());
        }
    }

    private static void assertSame(List<FakeClient> expected, Said said, String how) {
        for (int i = 0; i < expected.size(); i++) {
            PlannedStreams.assertSame(expected.get(i), said.clients().get(i), how + ", stream=" + i);
        }
    }

    private static int cached(FakeClient client) {
        Completion completion = client.completion;
        assertNotNull(completion);
        return completion.usage().cachedTokens();
    }

    private static void compare(LoadedModel loaded, Precision precision, int maxRows, int prompt, int common, int tokens) {
        List<FakeClient> expected = new ArrayList<>();
        for (int threads : new int[] {1, 2}) {
            try (KernelWorkers team = new KernelWorkers(threads)) {
                LanguageModel model = loaded.newTransformer(team, precision, maxRows);
                List<Plan> plans = plans(model.vocabularySize(), prompt, common, tokens);
                if (expected.isEmpty()) {
                    plans.forEach(plan -> expected.add(PlannedStreams.alone(model, plan)));
                }
                assertSame(expected, inTurn(model, plans, 0), "alone, threads=" + threads);
                Said reused = inTurn(model, plans, 0.5);
                assertSame(expected, reused, "alone with reuse, threads=" + threads);
                assertSame(expected, together(model, plans, 0), "together, threads=" + threads);
                Said shared = together(model, plans, 0.5);
                assertSame(expected, shared, "together with reuse, threads=" + threads);
                int whole = common / 32 * 32;
                assertEquals(0, cached(reused.clients().getFirst()));
                for (int i = 1; i < STREAMS; i++) {
                    assertEquals(whole, cached(reused.clients().get(i)));
                }
                long rowsWithout = STREAMS * (prompt + tokens - 1L);
                assertEquals(rowsWithout - 15L * whole, reused.rows());
                assertTrue(shared.rows() < reused.rows() + 4L * maxRows, // some is computed twice while it is not there yet
                        "rows=" + shared.rows());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, F32", "F32, F16", "INT8, F16"})
    void shouldHaveTheSameBitsOfARealModel(ActivationPrecision body, KvType kvType) {
        try (LoadedModel loaded = TestModels.load("models/stories260K/stories260K.gguf", KernelSelection.fastest())) {
            compare(loaded, Precision.withExactHead(body, kvType), 64, PROMPT, COMMON, 12);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Q4_0", "Q8_0"})
    void shouldHaveTheSameBitsOfAQuantisedModel(String format) {
        try (GgufFile file = new RandomLlama(TensorFormat.valueOf(format)).tame().file();
                LoadedModel loaded = ModelLoader.load(
                        file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            compare(loaded, Precision.withExactHead(ActivationPrecision.INT8, KvType.F16), 40, 100, 80, 8);
        }
    }

    /**
     * Not a number in a key is the cache's mark, not the block's: nothing of such a cache is shared, and every stream fails
     * alike.
     */
    @ParameterizedTest
    @ValueSource(strings = {"F16", "F32"})
    void shouldShareNothingThatIsNotFinite(String kvType) {
        try (GgufFile file = new RandomLlama(TensorFormat.F32).huge("blk.0.attn_norm.weight").file();
                LoadedModel loaded = ModelLoader.load(
                        file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            LanguageModel model = loaded.newTransformer(WorkerTeam.sequential(),
                    Precision.withExactHead(ActivationPrecision.F32, KvType.valueOf(kvType)), 40);
            List<Plan> plans = plans(model.vocabularySize(), 100, 80, 8);
            try (Run run = new Run(model, SchedulerFixture.config(1, 64, 32), BLOCKS, 1)) {
                for (Plan plan : plans.subList(0, 3)) {
                    FakeClient client = run.submit(plan, new FakeClient(PlannedStreams.PLENTY));
                    while (run.step() > 0) { }
                    assertTrue(client.message.contains("no usable logits"), client.message);
                    assertEquals(0, run.pool.stats().sharedBytes());
                }
            }
        }
    }
}

package dev.tidestream.server.scheduler;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tools.RandomModelFile;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.scheduler.PlannedStreams.Plan;
import dev.tidestream.server.scheduler.PlannedStreams.Run;
import dev.tidestream.server.scheduler.status.SchedulerStats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Streams come at random, from several connections, with prompts that begin alike; demand comes in drops, some leave; KV memory
 * is a quarter of what all of them need. Every stream that stays ends, with the bits of its undisturbed run.
 */
class KvPressurePropertyTest {
    private static final int STREAMS = 16;

    /** What happened. */
    private record Pressure(long preemptions, long blocksTaken, long recomputedRows, long reusedTokens, long evictions) {
        Pressure plus(Pressure other) {
            return new Pressure(preemptions + other.preemptions, blocksTaken + other.blocksTaken,
                    recomputedRows + other.recomputedRows, reusedTokens + other.reusedTokens, evictions + other.evictions);
        }
    }

    private static final Pressure NONE = new Pressure(0, 0, 0, 0, 0);

    @ParameterizedTest
    @CsvSource({"0, 100", "0.3, 100", "1, 100"})
    void shouldEndEveryStreamOfAModelThatHashesItsCache(double prefixShare, int seeds) {
        Pressure all = NONE;
        for (long seed = 0; seed < seeds; seed++) {
            all = all.plus(compare(new FakeLanguageModel(256, 32, seed), seed, prefixShare, 90, 90));
        }
        assertTrue(all.preemptions() > 100 && all.blocksTaken() > all.preemptions(), all.toString());
        assertTrue(all.recomputedRows() > 1000, all.toString());
        assertEquals(prefixShare > 0, all.reusedTokens() > 1000, all.toString());
    }

    @ParameterizedTest
    @EnumSource(KvType.class)
    void shouldEndEveryStreamWithTheBitsOfARealModel(KvType kvType) {
        try (LoadedModel loaded = TestModels.load("models/stories260K/stories260K.gguf", KernelSelection.fastest())) {
            Pressure all = NONE;
            for (long seed = 0; seed < 3; seed++) {
                LanguageModel model = loaded.newTransformer(
                        WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.F32, kvType), 24);
                all = all.plus(compare(model, seed, seed % 2 == 0 ? 0.5 : 0, 90, 60));
            }
            assertTrue(all.preemptions() > 0 && all.recomputedRows() > 0 && all.reusedTokens() > 100, all.toString());
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"Q4_0", "Q8_0"})
    void shouldEndEveryStreamWithTheBitsOfAQuantisedModel(TensorFormat format) {
        try (GgufFile file = new RandomLlama(format).tame().file();
                LoadedModel loaded = ModelLoader.load(
                        file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            Pressure all = NONE;
            for (long seed = 0; seed < 3; seed++) {
                LanguageModel model = loaded.newTransformer(
                        WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.INT8, KvType.F16), 24);
                all = all.plus(compare(model, seed, 0.5, 70, 55));
            }
            assertTrue(all.blocksTaken() > 0 && all.reusedTokens() > 100, all.toString());
        }
    }

    /** Some layers have a window of two blocks, which long streams use again; blocks of short ones are shared. */
    @Test
    void shouldEndEveryStreamOfAModelWithWindows(@TempDir Path temp) throws IOException {
        Path path = temp.resolve("gemma3.gguf");
        Map<String, String> options = new HashMap<>(Map.of("arch", "gemma3", "format", "q8_0", "head", "q8_0", "window", "40"));
        options.putAll(Map.of("hidden", "64", "layers", "6", "heads", "4", "kv-heads", "2", "ff", "64"));
        options.putAll(Map.of("context", "256", "vocab", "320"));
        RandomModelFile.write(options, path);
        try (GgufFile file = GgufFile.open(path);
                LoadedModel loaded = ModelLoader.load(
                        file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            LanguageModel model = loaded.newTransformer(
                    WorkerTeam.sequential(), Precision.withExactHead(ActivationPrecision.INT8, KvType.F16), 24);
            assertTrue(model.kvCacheShape().overwritesBlocks(65) && !model.kvCacheShape().overwritesBlocks(64),
                    model.kvCacheShape().toString());
            Pressure all = NONE;
            for (long seed = 0; seed < 4; seed++) {
                all = all.plus(compare(model, seed, 0.5, 100, 30));
            }
            assertTrue(all.blocksTaken() > 0 && all.recomputedRows() > 0 && all.reusedTokens() > 0, all.toString());
        }
    }

    private static Pressure compare(LanguageModel model, long seed, double prefixShare, int longestPrompt, int mostTokens) {
        Random random = new Random(seed * 0x9E37_79B9_7F4A_7C15L);
        List<Plan> plans = plans(model, random, longestPrompt, mostTokens);
        List<FakeClient> together = new ArrayList<>();
        Pressure pressure = together(model, plans, random, prefixShare, together);
        for (int i = 0; i < STREAMS; i++) {
            if (!together.get(i).cancelled) {
                FakeClient undisturbed = PlannedStreams.alone(model, plans.get(i));
                PlannedStreams.assertSame(undisturbed, together.get(i), "seed=" + seed + ", stream=" + i);
            }
        }
        return pressure;
    }

    private static List<Plan> plans(LanguageModel model, Random random, int longestPrompt, int mostTokens) {
        int[][] beginnings = new int[3][];
        for (int i = 0; i < beginnings.length; i++) {
            beginnings[i] = random.ints(longestPrompt, 3, Math.min(120, model.vocabularySize() - 1)).toArray();
        }
        List<Plan> plans = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            int[] prompt = Arrays.copyOf(beginnings[random.nextInt(beginnings.length)], 1 + random.nextInt(longestPrompt));
            if (random.nextBoolean()) {
                prompt[random.nextInt(prompt.length)] = 3;
            }
            plans.add(new Plan(prompt, 1 + random.nextInt(mostTokens), random.nextInt(5) == 0 ? 1 : -1, Plan.params(random),
                    "c" + random.nextInt(4)));
        }
        return plans;
    }

    private static Pressure together(
            LanguageModel model, List<Plan> plans, Random random, double prefixShare, List<FakeClient> clients) {
        int most = plans.stream().mapToInt(plan -> model.kvCacheShape().blocksFor(plan.positions())).max().orElseThrow();
        int all = plans.stream().mapToInt(plan -> model.kvCacheShape().blocksFor(plan.positions())).sum();
        boolean plenty = random.nextBoolean();
        try (Run run = new Run(model, SchedulerFixture.config(12, 64, 6), Math.max(most, all / 4), prefixShare)) {
            int steps = 0;
            while (clients.size() < plans.size() || !run.scheduler.isEmpty()) {
                if (clients.size() < plans.size() && random.nextInt(plenty ? 2 : 8) == 0) {
                    FakeClient client = new FakeClient(plenty ? PlannedStreams.PLENTY : random.nextInt(3));
                    clients.add(run.submit(plans.get(clients.size()), client));
                }
                if (!clients.isEmpty()) {
                    disturb(clients.get(random.nextInt(clients.size())), random);
                }
                run.step();
                assertTrue(++steps < 300_000, () -> "streams do not end: " + run.scheduler.stats());
            }
            assertEquals(0, run.pool.usedBytes());
            SchedulerStats stats = run.scheduler.stats();
            return new Pressure(stats.preemptions(), stats.blocksTaken(), stats.recomputedRows(), run.pool.stats().reusedTokens(),
                    run.pool.stats().evictions());
        }
    }

    private static void disturb(FakeClient client, Random random) {
        if (client.ended()) {
            return;
        }
        if (random.nextInt(3) == 0) {
            client.demand += 1 + random.nextInt(12);
        }
        client.cancelled |= random.nextInt(2000) == 0;
    }
}

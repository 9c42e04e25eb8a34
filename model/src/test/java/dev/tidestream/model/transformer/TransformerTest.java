package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** A row has the same bits whoever computes it, beside whom, in whatever pieces and on however many threads. */
class TransformerTest {
    private static final String STARTER = "starter/starter-q8_0.gguf";

    private static final Map<Kernels, LoadedModel> FAST = new LinkedHashMap<>();

    /** The kernels that serve, and those of the Vector API where others do. */
    static Set<Kernels> fast() {
        return new LinkedHashSet<>(List.of(KernelSelection.fastest(), KernelSelection.vector()));
    }

    private static LoadedModel loaded(Kernels kernels) {
        return FAST.computeIfAbsent(kernels, each -> TestModels.load(STARTER, each));
    }

    @AfterAll
    static void close() {
        FAST.values().forEach(LoadedModel::close);
        FAST.clear();
    }

    @ParameterizedTest
    @CsvSource({"INT8, F32", "F32, F32", "INT8, INT8", "F32, INT8"})
    void shouldGiveTheOraclesBits(ActivationPrecision body, ActivationPrecision head) {
        int[] tokens = tokens(40, 1);
        Precision precision = new Precision(body, head, KvType.F16);
        try (LoadedModel scalar = TestModels.load(STARTER, KernelSelection.scalar())) {
            float[] expected = TestModels.logits(scalar.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, 40);
            for (Kernels kernels : fast()) {
                Transformer model = loaded(kernels).newTransformer(WorkerTeam.sequential(), precision, 64);
                assertArrayEquals(expected, TestModels.logits(model, tokens, 40), kernels.title());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, F32", "2, F32", "3, F32", "7, F32", "8, F32", "33, F32", "1, INT8", "4, INT8", "16, INT8", "33, INT8"})
    void shouldNotDependOnHowAPromptIsCut(int chunk, ActivationPrecision head) {
        int[] tokens = tokens(70, 2);
        for (Kernels kernels : fast()) {
            Transformer model = loaded(kernels).newTransformer(WorkerTeam.sequential(), int8Body(head), 128);
            assertArrayEquals(TestModels.logits(model, tokens, 70), TestModels.logits(model, tokens, chunk), kernels.title());
        }
    }

    @ParameterizedTest
    @EnumSource(ActivationPrecision.class)
    void shouldNotDependOnTheNumberOfThreads(ActivationPrecision head) {
        int[] tokens = tokens(50, 3);
        for (Kernels kernels : fast()) {
            LoadedModel loaded = loaded(kernels);
            float[] alone = TestModels.logits(loaded.newTransformer(WorkerTeam.sequential(), int8Body(head), 64), tokens, 13);
            Transformer together = loaded.newTransformer(new PoolTeam(), int8Body(head), 64);
            assertArrayEquals(alone, TestModels.logits(together, tokens, 13), kernels.title());
        }
    }

    static Stream<Arguments> batches() {
        return fast().stream().flatMap(kernels ->
                Arrays.stream(ActivationPrecision.values()).map(head -> Arguments.of(kernels, head)));
    }

    @ParameterizedTest
    @MethodSource("batches")
    void shouldNotDependOnWhoElseIsInTheBatch(Kernels kernels, ActivationPrecision head) {
        Transformer model = loaded(kernels).newTransformer(WorkerTeam.sequential(), int8Body(head), 256);
        int sequences = 16;
        int length = 24;
        List<int[]> prompts = IntStream.range(0, sequences).mapToObj(i -> tokens(length, 100 + i)).toList();
        List<KvCache> caches = prompts.stream().map(p -> TestModels.cache(model, length)).toList();
        int[] done = new int[sequences];
        float[] logits = new float[256 * model.vocabularySize()];
        SplittableRandom random = new SplittableRandom(4);
        while (Arrays.stream(done).anyMatch(d -> d < length)) {
            List<Slice> slices = new ArrayList<>();
            List<Integer> who = new ArrayList<>();
            for (int i = 0; i < sequences; i++) { // joins and leaves at random, one token or several
                int count = Math.min(random.nextInt(4), length - done[i]);
                if (count > 0) {
                    slices.add(new Slice(caches.get(i), prompts.get(i), done[i], count, LogitsRows.LAST));
                    who.add(i);
                    done[i] += count;
                }
            }
            if (!slices.isEmpty()) {
                assertEquals(slices.size(), model.forward(slices, logits));
                for (int row = 0; row < who.size(); row++) {
                    int i = who.get(row);
                    float[] alone = TestModels.logits(model, Arrays.copyOf(prompts.get(i), done[i]), 64);
                    int vocabularySize = model.vocabularySize();
                    assertArrayEquals(
                            Arrays.copyOfRange(alone, (done[i] - 1) * vocabularySize, done[i] * vocabularySize),
                            Arrays.copyOfRange(logits, row * vocabularySize, (row + 1) * vocabularySize));
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitAndChangeNothing() {
        Transformer model = loaded(KernelSelection.fastest()).newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 8);
        KvCache cache = TestModels.cache(model, 32);
        float[] logits = new float[8 * model.vocabularySize()];
        assertRefused("no such token: token=4096, vocabulary=4096", model, slice(cache, 4096), logits);
        assertRefused("no such token: token=-1, vocabulary=4096", model, slice(cache, -1), logits);
        assertRefused("rows out of range: rows=9, maxRows=8", model, slice(cache, new int[9]), logits);
        assertRefused("logits do not fit: rows=2, vocabulary=4096, length=5000", model, slice(cache, 1, 2), new float[5000]);
        assertEquals(0, cache.length());
        model.forward(List.of(slice(cache, 1, 2, 3)), logits);
        assertEquals(3, cache.length());
        KvCache full = TestModels.cache(model, 1);
        for (int i = 0; i < 4; i++) {
            model.forward(List.of(slice(full, new int[8])), logits);
        }
        assertRefused("KV cache is full: length=32, count=1, capacity=32", model, slice(full, 1), logits);
    }

    @ParameterizedTest
    @MethodSource("fast")
    void shouldForgetWhatIsTruncated(Kernels kernels) {
        Transformer model = loaded(kernels).newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 64);
        int[] tokens = tokens(20, 5);
        float[] expected = TestModels.logits(model, tokens, 20);
        KvCache cache = TestModels.cache(model, 64);
        float[] logits = new float[64 * model.vocabularySize()];
        model.forward(List.of(slice(cache, Arrays.copyOf(tokens, 10))), logits);
        model.forward(List.of(slice(cache, tokens(30, 6))), logits);
        cache.truncate(10);
        model.forward(List.of(new Slice(cache, tokens, 10, 10, LogitsRows.LAST)), logits);
        int vocabularySize = model.vocabularySize();
        assertArrayEquals(Arrays.copyOfRange(expected, 19 * vocabularySize, 20 * vocabularySize),
                Arrays.copyOf(logits, vocabularySize));
        assertThrows(IllegalArgumentException.class, () -> cache.truncate(21));
    }

    private static Precision int8Body(ActivationPrecision head) {
        return new Precision(ActivationPrecision.INT8, head, KvType.F16);
    }

    private static void assertRefused(String message, Transformer model, Slice slice, float[] logits) {
        var e = assertThrows(IllegalArgumentException.class, () -> model.forward(List.of(slice), logits));
        assertEquals(message, e.getMessage());
    }

    private static Slice slice(KvCache cache, int... tokens) {
        return new Slice(cache, tokens, 0, tokens.length, LogitsRows.ALL);
    }

    private static int[] tokens(int count, long seed) {
        return new SplittableRandom(seed).ints(count, 0, 4096).toArray();
    }

    /** Splits every region into single grains and lets the common pool run them in any order. */
    private static final class PoolTeam implements WorkerTeam {
        @Override
        public int size() {
            return ForkJoinPool.getCommonPoolParallelism() + 1;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            IntStream.range(0, Math.ceilDiv(items, grain)).parallel()
                    .forEach(i -> task.run(i * grain, Math.min(items, (i + 1) * grain)));
        }
    }
}

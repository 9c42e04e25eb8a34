package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.kernels.KernelSelection;
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

    private static LoadedModel vector;
    private static LoadedModel scalar;

    @BeforeAll
    static void load() {
        vector = TestModels.load(STARTER, KernelSelection.vector());
        scalar = TestModels.load(STARTER, KernelSelection.scalar());
    }

    @AfterAll
    static void close() {
        if (vector != null) {
            vector.close();
            scalar.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"INT8, F32", "F32, F32", "INT8, INT8", "F32, INT8"})
    void shouldGiveTheOraclesBits(ActivationPrecision body, ActivationPrecision head) {
        int[] tokens = tokens(40, 1);
        Precision precision = new Precision(body, head, KvType.F16);
        float[] expected = TestModels.logits(scalar.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, 40);
        assertArrayEquals(expected, TestModels.logits(vector.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, 40));
    }

    @ParameterizedTest
    @CsvSource({"1, F32", "2, F32", "3, F32", "7, F32", "8, F32", "33, F32", "1, INT8", "4, INT8", "16, INT8", "33, INT8"})
    void shouldNotDependOnHowAPromptIsCut(int chunk, ActivationPrecision head) {
        int[] tokens = tokens(70, 2);
        Transformer model = vector.newTransformer(WorkerTeam.sequential(), int8Body(head), 128);
        assertArrayEquals(TestModels.logits(model, tokens, 70), TestModels.logits(model, tokens, chunk));
    }

    @ParameterizedTest
    @EnumSource(ActivationPrecision.class)
    void shouldNotDependOnTheNumberOfThreads(ActivationPrecision head) {
        int[] tokens = tokens(50, 3);
        float[] alone = TestModels.logits(vector.newTransformer(WorkerTeam.sequential(), int8Body(head), 64), tokens, 13);
        assertArrayEquals(alone, TestModels.logits(vector.newTransformer(new PoolTeam(), int8Body(head), 64), tokens, 13));
    }

    @ParameterizedTest
    @EnumSource(ActivationPrecision.class)
    void shouldNotDependOnWhoElseIsInTheBatch(ActivationPrecision head) {
        Transformer model = vector.newTransformer(WorkerTeam.sequential(), int8Body(head), 256);
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
        Transformer model = vector.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 8);
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

    @Test
    void shouldForgetWhatIsTruncated() {
        Transformer model = vector.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 64);
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

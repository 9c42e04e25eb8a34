package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * What {@link TransformerTest} says of LLaMA, of the other architectures, with the kernels that serve: a row has the same bits whoever
 * computes it, beside whom, in whatever pieces and on however many threads. The build runs it at other widths of vectors, too.
 */
@ParameterizedClass
@ValueSource(strings = {"gpt2/gguf/gpt2-Q8_0", "gpt2_prefixed/gguf/gpt2_prefixed-F32", "qwen2/gguf/qwen2-Q4_0", "qwen3/gguf/qwen3-Q8_0",
    "gemma3/gguf/gemma3-Q4_0", "bitnet/gguf/bitnet-I2_S", "bitnet_silu/gguf/bitnet_silu-TQ1_0",
            "llama_bitlinear/gguf/llama_bitlinear-I2_S"})
class ArchitectureInvarianceTest {
    private static final int VOCABULARY = 512;
    private static final int LENGTH = 50; // less than the shortest context

    @Parameter
    private String name = "";

    private LoadedModel fast;

    @BeforeEach
    void load() {
        fast = load(KernelSelection.fastest());
    }

    private LoadedModel load(Kernels kernels) {
        return TestModels.load("golden/models/" + name + ".gguf", kernels);
    }

    @AfterEach
    void close() {
        if (fast != null) {
            fast.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"INT8, F32, F16", "F32, F32, F32", "INT8, INT8, F32", "F32, INT8, F16"})
    void shouldGiveTheOraclesBits(ActivationPrecision body, ActivationPrecision head, KvType kvType) {
        int[] tokens = tokens(LENGTH, 1);
        Precision precision = new Precision(body, head, kvType);
        try (LoadedModel scalar = load(KernelSelection.scalar()); LoadedModel vector = load(KernelSelection.vector())) {
            float[] expected = TestModels.logits(scalar.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, LENGTH);
            assertArrayEquals(expected, TestModels.logits(fast.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, LENGTH));
            assertArrayEquals(expected, TestModels.logits(vector.newTransformer(WorkerTeam.sequential(), precision, 64), tokens, LENGTH));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 8, 33})
    void shouldNotDependOnHowAPromptIsCut(int chunk) {
        int[] tokens = tokens(LENGTH, 2);
        for (ActivationPrecision body : ActivationPrecision.values()) {
            Transformer model = fast.newTransformer(WorkerTeam.sequential(), body, 64);
            assertArrayEquals(TestModels.logits(model, tokens, LENGTH), TestModels.logits(model, tokens, chunk), body.wireName());
        }
        try (LoadedModel scalar = load(KernelSelection.scalar())) {
            Transformer model = scalar.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 64);
            assertArrayEquals(TestModels.logits(model, tokens, LENGTH), TestModels.logits(model, tokens, chunk), "scalar");
        }
    }

    @ParameterizedTest
    @EnumSource(ActivationPrecision.class)
    void shouldNotDependOnTheNumberOfThreads(ActivationPrecision body) {
        int[] tokens = tokens(LENGTH, 3);
        for (int chunk : new int[] {1, 13}) {
            float[] alone = TestModels.logits(fast.newTransformer(WorkerTeam.sequential(), body, 64), tokens, chunk);
            assertArrayEquals(alone, TestModels.logits(fast.newTransformer(new PoolTeam(), body, 64), tokens, chunk), "chunk=" + chunk);
        }
    }

    @ParameterizedTest
    @EnumSource(ActivationPrecision.class)
    void shouldNotDependOnWhoElseIsInTheBatch(ActivationPrecision body) {
        Transformer model = fast.newTransformer(WorkerTeam.sequential(), body, 256);
        int sequences = 9;
        int length = 24;
        List<int[]> prompts = IntStream.range(0, sequences).mapToObj(i -> tokens(length, 100 + i)).toList();
        List<float[]> alone = prompts.stream().map(prompt -> TestModels.logits(model, prompt, 64)).toList();
        List<KvCache> caches = prompts.stream().map(p -> TestModels.cache(model, length)).toList();
        int[] done = new int[sequences];
        float[] logits = new float[256 * VOCABULARY];
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
                    assertArrayEquals(row(alone.get(i), done[i] - 1), row(logits, row), "sequence=%d, done=%d".formatted(i, done[i]));
                }
            }
        }
    }

    private static float[] row(float[] logits, int row) {
        return Arrays.copyOfRange(logits, row * VOCABULARY, (row + 1) * VOCABULARY);
    }

    private static int[] tokens(int count, long seed) {
        return new SplittableRandom(seed).ints(count, 0, VOCABULARY).toArray();
    }

    /** Splits every region into single grains and lets the common pool run them in any order. */
    private static final class PoolTeam implements WorkerTeam {
        @Override
        public int size() {
            return 4;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            IntStream.range(0, Math.ceilDiv(items, grain)).parallel()
                    .forEach(i -> task.run(i * grain, Math.min(items, (i + 1) * grain)));
        }
    }
}

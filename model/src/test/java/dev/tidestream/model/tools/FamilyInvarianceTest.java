package dev.tidestream.model.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.model.transformer.ReferenceForward;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * One random model of each family: a row has the same bits in whatever batch, on however many threads, in whatever pieces its
 * prompt comes, from packed weights or not; also where layers with a window use their KV blocks again. With the kernels that
 * serve, and the oracle; and logits are near those of float64.
 */
@ParameterizedClass
@MethodSource("families")
class FamilyInvarianceTest {
    private static final int VOCABULARY = 320;
    private static final int LENGTH = 100;
    private static final int WINDOW = 12;
    private static final int ROWS = 16; // with the window, one of the four blocks that a text takes
    private static final int SEQUENCES = 16;

    @Parameter
    private String family = "";

    @TempDir
    private static Path temporary;

    private Path path = Path.of("");
    private LoadedModel fast;

    static Stream<String> families() {
        return RandomMetadata.FAMILIES.stream();
    }

    @BeforeEach
    void load() throws IOException {
        path = write(family.startsWith("bitnet") ? "tq2_0" : "q4_0", "q6_k");
        fast = load(KernelSelection.fastest());
    }

    private Path write(String format, String head) throws IOException {
        Path file = temporary.resolve("%s-%s.gguf".formatted(family, format));
        Map<String, String> options = new HashMap<>(Map.of("hidden", "256", "layers", "6", "heads", "4", "kv-heads", "2", "ff", "256",
                "context", "192"));
        options.putAll(Map.of("arch", family, "format", format, "head", head, "vocab", String.valueOf(VOCABULARY),
                "window", String.valueOf(WINDOW)));
        RandomModelFile.write(options, file);
        return file;
    }

    @AfterEach
    void close() {
        if (fast != null) {
            fast.close();
        }
    }

    private LoadedModel load(Kernels kernels) {
        try (GgufFile file = GgufFile.open(path)) {
            return ModelLoader.load(file, kernels, WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
    }

    private LanguageModel model(WorkerTeam team, Precision precision, int rows) {
        return fast.newTransformer(team, precision, rows);
    }

    /** What the family's metadata say, computed in float64 from the blueprint alone. */
    @Test
    void shouldComputeTheLogitsOfFloat64() throws IOException {
        int[] tokens = tokens(LENGTH / 2, 6);
        try (GgufFile file = GgufFile.open(write("f32", "f32")); LoadedModel loaded = ModelLoader.load(
                file, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            Map<String, float[]> tensors = new HashMap<>();
            file.tensors().values().forEach(tensor -> tensors.put(tensor.name(), file.data(tensor).toArray(PanelLayout.FLOAT)));
            double[][] expected = new ReferenceForward(Architectures.plan(file).tensors(), tensors).logits(tokens);
            float[] actual = TestModels.logits(loaded.newTransformer(
                    WorkerTeam.sequential(), precision(ActivationPrecision.F32, KvType.F32), ROWS), tokens, ROWS);
            for (int i = 0; i < actual.length; i++) {
                assertEquals(expected[i / VOCABULARY][i % VOCABULARY], actual[i], 1e-4, family);
            }
        }
    }

    private static Precision precision(ActivationPrecision activations, KvType type) {
        return new Precision(activations, activations, type);
    }

    private static int[] tokens(int count, long seed) {
        return new SplittableRandom(seed).ints(count, 0, VOCABULARY).toArray();
    }

    @ParameterizedTest
    @CsvSource({"INT8, F16", "F32, F32"})
    void shouldNotDependOnHowAPromptIsCut(ActivationPrecision activations, KvType type) {
        int[] tokens = tokens(LENGTH, 1);
        LanguageModel whole = model(WorkerTeam.sequential(), precision(activations, type), LENGTH);
        LanguageModel pieces = model(WorkerTeam.sequential(), precision(activations, type), ROWS);
        boolean windows = fast.blueprint().layers().stream().anyMatch(layer -> layer.attention().window() > 0);
        assertEquals(List.of("mistral", "gemma2", "gemma3").contains(family), windows);
        assertEquals(windows, pieces.kvCacheShape().blocksFor(LENGTH) * (long) pieces.kvCacheShape().layersPerBlock()
                < (long) fast.blueprint().layers().size() * Math.ceilDiv(LENGTH, 32), "blocks are used again");
        float[] expected = TestModels.logits(whole, tokens, LENGTH);
        assertTrue(IntStream.range(0, expected.length).allMatch(i -> Float.isFinite(expected[i])));
        for (int chunk : new int[] {1, 7, ROWS}) {
            assertArrayEquals(expected, TestModels.logits(pieces, tokens, chunk), "chunk=" + chunk);
        }
    }

    @ParameterizedTest
    @CsvSource({"INT8, F16", "F32, F32"})
    void shouldGiveTheOraclesBits(ActivationPrecision activations, KvType type) {
        int[] tokens = tokens(LENGTH / 2, 2);
        try (LoadedModel scalar = load(KernelSelection.scalar()); LoadedModel vector = load(KernelSelection.vector())) {
            float[] expected = TestModels.logits(
                    scalar.newTransformer(WorkerTeam.sequential(), precision(activations, type), ROWS), tokens, ROWS);
            assertArrayEquals(expected, TestModels.logits(model(WorkerTeam.sequential(), precision(activations, type), ROWS),
                    tokens, ROWS));
            assertArrayEquals(expected, TestModels.logits(
                    vector.newTransformer(WorkerTeam.sequential(), precision(activations, type), ROWS), tokens, ROWS));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotDependOnTheNumberOfThreads(ActivationPrecision activations) {
        int[] tokens = tokens(LENGTH, 3);
        for (int chunk : new int[] {1, ROWS}) {
            assertArrayEquals(
                    TestModels.logits(model(WorkerTeam.sequential(), precision(activations, KvType.F16), ROWS), tokens, chunk),
                    TestModels.logits(model(new TwoThreads(), precision(activations, KvType.F16), ROWS), tokens, chunk), "chunk=" + chunk);
        }
    }

    /** Sixteen sequences of other lengths, a row of each in a pass. */
    @ParameterizedTest
    @EnumSource
    void shouldNotDependOnWhoElseIsInTheBatch(ActivationPrecision activations) {
        LanguageModel model = model(WorkerTeam.sequential(), precision(activations, KvType.F16), ROWS);
        List<int[]> texts = IntStream.range(0, SEQUENCES).mapToObj(i -> tokens(LENGTH - 4 * i, 100 + i)).toList();
        List<KvCache> caches = texts.stream().map(text -> TestModels.cache(model, text.length)).toList();
        float[][] together = new float[SEQUENCES][LENGTH * VOCABULARY];
        float[] logits = new float[ROWS * VOCABULARY];
        for (int position = 0; position < LENGTH; position++) {
            List<Slice> slices = new ArrayList<>();
            List<Integer> who = new ArrayList<>();
            for (int i = 0; i < SEQUENCES; i++) {
                if (position < texts.get(i).length) {
                    slices.add(new Slice(caches.get(i), texts.get(i), position, 1, LogitsRows.LAST));
                    who.add(i);
                }
            }
            assertEquals(slices.size(), model.forward(slices, logits));
            for (int row = 0; row < who.size(); row++) {
                System.arraycopy(logits, row * VOCABULARY, together[who.get(row)], position * VOCABULARY, VOCABULARY);
            }
        }
        for (int i : new int[] {0, 1, SEQUENCES - 1}) {
            float[] alone = TestModels.logits(model, texts.get(i), ROWS);
            assertArrayEquals(alone, Arrays.copyOf(together[i], alone.length), "sequence=" + i);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotDependOnWhereWeightsWerePacked(PackedLoad how) throws IOException {
        int[] tokens = tokens(LENGTH, 5);
        Precision precision = precision(ActivationPrecision.INT8, KvType.F16);
        float[] expected = TestModels.logits(model(WorkerTeam.sequential(), precision, ROWS), tokens, ROWS);
        List<String> warnings = new ArrayList<>();
        List<ModelLoader.Stage> stages = new ArrayList<>();
        for (int i = 0; i < 2; i++) { // packed and written, then read
            stages.clear();
            try (GgufFile file = GgufFile.open(path); LoadedModel loaded = new ModelLoader(file).load(KernelSelection.fastest(),
                    WorkerTeam.sequential(), (stage, _, _) -> stages.add(stage),
                    new PackedCache(temporary.resolve(family + how), true, how, warnings::add))) {
                assertArrayEquals(expected, TestModels.logits(
                        loaded.newTransformer(WorkerTeam.sequential(), precision, ROWS), tokens, ROWS));
            }
        }
        assertEquals(List.of(ModelLoader.Stage.READING_PANELS), stages.stream().distinct().toList());
        assertEquals(List.of(), warnings);
    }

    /** Two halves of each region, in the other order, on two threads of the common pool. */
    private static final class TwoThreads implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            int middle = Math.min(items, Math.ceilDiv(Math.ceilDiv(items, grain), 2) * grain);
            Stream.of(new int[] {middle, items}, new int[] {0, middle}).parallel().filter(range -> range[0] < range[1])
                    .forEach(range -> task.run(range[0], range[1]));
        }
    }
}

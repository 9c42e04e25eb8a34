package dev.tidestream.model.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufFileWriter;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A file whose output matrix is its embedding, byte for byte, is a tied model: one copy, every head mode, the same logits. */
class TiedOutputTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();
    private static final int[] TOKENS = {1, 2, 3, 4, 5};

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.MATCH_NONE, names = {"Q._K", "TQ.*", "I2_S"}) // the model is too narrow
    void shouldKeepOneCopy(TensorFormat format) {
        try (LoadedModel twice = load(new RandomLlama(format).tame().twice().bytes());
                LoadedModel once = load(new RandomLlama(format).tame().bytes())) {
            assertTrue(twice.blueprint().tied());
            assertEquals(once.tensorNames(), twice.tensorNames());
            assertEquals(once.bytes(), twice.bytes());
            assertArrayEquals(logits(once), logits(twice));
        }
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldHaveEveryHeadMode(HeadMode mode) {
        try (LoadedModel twice = load(new RandomLlama(TensorFormat.Q8_0).tame().twice().bytes());
                LoadedModel next = twice.successor(Map.of(), twice.buildHead(mode, Map.of(), TiedHeads::build, ALONE))) {
            assertEquals(mode, next.headMode());
            assertArrayEquals(logits(twice), logits(next), 1e-3f);
        }
    }

    @Test
    void shouldKeepTwoMatricesThatDifferInABit() {
        byte[] bytes = new RandomLlama(TensorFormat.F32).twice().bytes();
        bytes[bytes.length - Float.BYTES] ^= 1; // the lowest of the last weight of the last tensor
        try (LoadedModel model = load(bytes)) {
            assertFalse(model.blueprint().tied());
            assertTrue(model.tensorNames().contains("output.weight"));
        }
    }

    @Test
    void shouldKeepTwoMatricesOfDifferentFormats() {
        try (LoadedModel model = load(new RandomLlama(TensorFormat.F16).twice().typed("output.weight", GgmlType.Q8_0).bytes())) {
            assertFalse(model.blueprint().tied());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/stories260K/stories260K.gguf", "golden/models/gpt2_prefixed/gguf/gpt2_prefixed-F16_with_output.gguf"})
    void shouldTieTheFilesThatAreThere(String path) {
        try (GgufFile file = GgufFile.open(SharedData.path(path))) {
            ModelLoader loader = new ModelLoader(file);
            loader.check();
            assertTrue(loader.blueprint().tied());
            assertEquals("tied to the embedding (the file holds the same matrix twice, as output.weight as well; one copy is kept)",
                    loader.words().get("output head"));
        }
    }

    @Test
    void shouldFindItsPackedPanelsAgain(@TempDir Path folder) throws IOException {
        Path path = Files.write(folder.resolve("twice.gguf"), new RandomLlama(TensorFormat.Q8_0).tame().twice().bytes());
        List<ModelLoader.Stage> stages = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        float[][] logits = new float[2][];
        for (int i = 0; i < 2; i++) {
            stages.clear();
            PackedCache cache = new PackedCache(folder.resolve("cache"), true, PackedLoad.MAP, warnings::add);
            try (GgufFile file = GgufFile.open(path); LoadedModel model = new ModelLoader(file).load(
                    KernelSelection.vector(), ALONE, (stage, done, total) -> stages.add(stage), cache)) {
                logits[i] = logits(model);
            }
        }
        assertEquals(List.of(), warnings);
        assertEquals(List.of(ModelLoader.Stage.READING_PANELS), stages.stream().distinct().toList());
        assertArrayEquals(logits[0], logits[1]);
    }

    /** Whichever of the two names the matrix has: it is both. */
    @Test
    void shouldTieAHeadThatIsStoredAlone(@TempDir Path folder) throws IOException {
        Path alone = folder.resolve("alone.gguf");
        try (GgufFile embedding = new RandomLlama(TensorFormat.Q8_0).tame().file()) {
            SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
            embedding.metadata().keys().forEach(key -> metadata.put(key, embedding.metadata().value(key)));
            new GgufFileWriter(metadata, embedding.tensors().values().stream().map(tensor -> new GgufFileWriter.Tensor(
                    tensor.name().equals("token_embd.weight") ? "output.weight" : tensor.name(), tensor.type(),
                    tensor.dimensions())).toList())
                    .write(alone, false, (tensor, sink) -> sink.write(embedding.data(embedding.tensor(
                            tensor.name().equals("output.weight") ? "token_embd.weight" : tensor.name()))), bytes -> { });
        }
        try (GgufFile file = GgufFile.open(alone); LoadedModel expected = load(new RandomLlama(TensorFormat.Q8_0).tame().bytes());
                LoadedModel actual = ModelLoader.load(file, KernelSelection.vector(), ALONE, ModelLoader.ProgressListener.NONE)) {
            assertTrue(actual.blueprint().tied());
            assertEquals(List.of(), new ModelLoader(file).warnings());
            assertEquals("tied to the embedding (only one of token_embd.weight and output.weight is stored)",
                    new ModelLoader(file).words().get("output head"));
            assertArrayEquals(logits(expected), logits(actual));
        }
    }

    private static LoadedModel load(byte[] bytes) {
        MemorySegment image = Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        try (GgufFile file = GgufFile.of(image, "twice.gguf")) {
            return ModelLoader.load(file, KernelSelection.vector(), ALONE, ModelLoader.ProgressListener.NONE);
        }
    }

    private static float[] logits(LoadedModel model) {
        return TestModels.logits(model.newTransformer(ALONE, ActivationPrecision.F32, 8), TOKENS, TOKENS.length);
    }
}

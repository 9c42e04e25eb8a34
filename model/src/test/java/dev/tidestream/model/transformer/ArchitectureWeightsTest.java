package dev.tidestream.model.transformer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.patch.PatchDtype;
import dev.tidestream.model.patch.PatchKind;
import dev.tidestream.model.patch.TensorPatcher;
import dev.tidestream.model.patch.WeightPatch;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What is done with a model's weights beside computing with them, for architectures other than LLaMA. */
@ParameterizedClass
@ValueSource(strings = {"gpt2/gguf/gpt2-Q8_0", "gpt2_prefixed/gguf/gpt2_prefixed-BF16", "gpt2_256/gguf/gpt2_256-Q4_K_M",
        "qwen2/gguf/qwen2-Q4_0",
    "qwen3/gguf/qwen3-Q8_0"})
class ArchitectureWeightsTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();
    private static final int[] TOKENS = new SplittableRandom(1).ints(12, 0, 512).toArray();

    @Parameter
    private String name = "";

    private GgufFile file() {
        return GgufFile.open(SharedData.path("golden/models/" + name + ".gguf"));
    }

    private LoadedModel load() {
        return TestModels.load("golden/models/" + name + ".gguf", KernelSelection.fastest());
    }

    private static float[] logits(LoadedModel model) {
        return TestModels.logits(model.newTransformer(ALONE, ActivationPrecision.INT8, KvType.F16, 16), TOKENS, TOKENS.length);
    }

    /** Every tensor, biases, norms of heads and tables of positions among them, and back to the bit. */
    @Test
    void shouldUpdateEveryTensorByItsName() {
        try (GgufFile file = file(); LoadedModel model = load()) {
            float[] before = logits(model);
            assertEquals(file.tensors().keySet(), model.tensorNames());
            ModelLoader loader = new ModelLoader(file);
            for (String tensor : model.tensorNames()) {
                Map<String, OwnedTensor> changed = Map.of(tensor, shifted(tensor, model.tensor(tensor).orElseThrow()));
                Map<String, OwnedTensor> again = Map.of(tensor, loader.read(tensor, ALONE));
                try (LoadedModel next = successor(model, changed); LoadedModel restored = successor(next, again)) {
                    assertFalse(Arrays.equals(before, logits(next)), tensor);
                    assertArrayEquals(before, logits(restored), tensor);
                }
            }
            assertArrayEquals(before, logits(model));
        }
    }

    private static LoadedModel successor(LoadedModel model, Map<String, OwnedTensor> replaced) {
        boolean head = replaced.keySet().stream().anyMatch(model::makesTheHead);
        return model.successor(replaced, head ? model.buildHead(HeadMode.PACKED, replaced, TiedHeads::build, ALONE) : null);
    }

    /** The tensor with something added to every element, which no rounding to its format takes back. */
    private static OwnedTensor shifted(String name, WeightTensor base) {
        int size = Math.toIntExact(base.shape().stream().reduce(1L, (a, b) -> a * b));
        ByteBuffer payload = ByteBuffer.allocate(size * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(2);
        while (payload.hasRemaining()) {
            payload.putFloat((float) random.nextGaussian());
        }
        WeightPatch patch = new WeightPatch(PatchKind.DELTA, base.shape(), PatchDtype.F32, 0, MemorySegment.ofArray(payload.array()));
        PageArena arena = new PageArena();
        return OwnedTensor.of(TensorPatcher.apply(name, base, patch, arena, ALONE, (a, rows, rank, b, columns, out) -> {}).tensor(), arena);
    }

    @ParameterizedTest
    @EnumSource(HeadMode.class)
    void shouldHaveEveryHeadMode(HeadMode mode) {
        try (LoadedModel model = load();
                LoadedModel next = model.successor(Map.of(), model.buildHead(mode, Map.of(), TiedHeads::build, ALONE))) {
            assertEquals(mode, next.headMode());
            assertArrayEquals(logits(model), logits(next), 1e-3f);
        }
    }

    @Test
    void shouldLoadTheSameBitsFromPackedPanels(@TempDir Path folder) throws IOException {
        Path path = Files.copy(SharedData.path("golden/models/" + name + ".gguf"), folder.resolve("model.gguf"));
        List<ModelLoader.Stage> stages = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        float[][] logits = new float[2][];
        for (int i = 0; i < 2; i++) {
            stages.clear();
            PackedCache cache = new PackedCache(folder.resolve("cache"), true, PackedLoad.MAP, warnings::add);
            try (GgufFile file = GgufFile.open(path); LoadedModel model = new ModelLoader(file).load(
                    KernelSelection.fastest(), ALONE, (stage, done, total) -> stages.add(stage), cache)) {
                logits[i] = logits(model);
            }
        }
        assertEquals(List.of(), warnings);
        assertEquals(List.of(ModelLoader.Stage.READING_PANELS), stages.stream().distinct().toList());
        assertArrayEquals(logits[0], logits[1]);
    }

    /** What warms kernels up goes through the same plans and formats. */
    @Test
    void shouldCutAMiniature() {
        try (GgufFile file = file(); LoadedModel large = load();
                LoadedModel small = new ModelLoader(file).miniature(KernelSelection.fastest())) {
            assertEquals(large.blueprint().architecture(), small.blueprint().architecture());
            assertEquals(large.tensorNames().stream().filter(tensor -> !tensor.startsWith("blk.1.")).toList(),
                    small.tensorNames().stream().filter(tensor -> !tensor.startsWith("blk.1.")).toList());
            assertTrue(small.bytes() <= large.bytes());
            for (float logit : logits(small)) {
                assertTrue(Float.isFinite(logit));
            }
        }
    }
}

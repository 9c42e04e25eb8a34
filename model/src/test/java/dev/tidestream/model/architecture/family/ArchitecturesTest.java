package dev.tidestream.model.architecture.family;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.tensor.ActivationFunction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What is read out of files: blueprints, names, and refusals that name what is wrong. */
class ArchitecturesTest {
    private static final int HIDDEN = 64;
    private static final int POSITIONS = 32;

    private static List<Long> shape(TensorPlan plan, String name) {
        return Objects.requireNonNull(plan.tensors().get(name), name).shape();
    }

    @Test
    void shouldReadQwen3() {
        TensorPlan plan = golden("qwen3/gguf/qwen3-Q8_0");
        Blueprint blueprint = plan.blueprint();
        AttentionPlan attention = blueprint.layers().getFirst().attention();
        assertEquals(new Rotation(Rotation.Pairing.HALVES, 96, 1_000_000f, 1, false), attention.rotation());
        assertEquals(Optional.of(new NormSpec.Rms(1e-6f)), attention.queryKeyNorm());
        assertEquals(192, attention.queryDim());
        assertEquals(List.of(128L, 192L), shape(plan, "blk.1.attn_output.weight"));
        assertEquals(List.of(96L), shape(plan, "blk.1.attn_k_norm.weight"));
        assertEquals(Map.of(
                "architecture", "qwen3: 2 layers, hidden size 128, vocabulary 512, context 256",
                "attention", "2 query heads and 1 key/value head of 96 elements, rotated in halves (base 1000000.0), queries and keys"
                        + " normed per head: RMS norm (eps 1.0E-6)",
                "feed-forward", "256 elements, gated, silu",
                "norms", "RMS norm (eps 1.0E-6)",
                "output head", "tied to the embedding"), blueprint.words());
    }

    @Test
    void shouldReadQwen2() {
        TensorPlan plan = golden("qwen2/gguf/qwen2-Q4_0");
        AttentionPlan attention = plan.blueprint().layers().getFirst().attention();
        assertTrue(attention.bias());
        assertEquals(Rotation.Pairing.HALVES, attention.rotation().pairing());
        assertEquals(List.of(64L), shape(plan, "blk.0.attn_v.bias"));
        assertEquals(26, plan.tensors().size());
    }

    @Test
    void shouldReadLlama() {
        TensorPlan plan = golden("llama3/gguf/llama3-Q8_0");
        Rotation rotation = plan.blueprint().layers().getFirst().attention().rotation();
        assertEquals(new Rotation(Rotation.Pairing.INTERLEAVED, 32, 500_000f, 1, true), rotation);
        assertEquals(List.of(16L), shape(plan, "rope_freqs.weight"));
    }

    @Test
    void shouldReadGpt2() {
        TensorPlan plan = golden("gpt2/gguf/gpt2-Q8_0");
        Blueprint blueprint = plan.blueprint();
        LayerPlan layer = blueprint.layers().getFirst();
        assertEquals(128, blueprint.learnedPositions());
        assertEquals(new NormSpec.Layer(1e-5f, true), layer.before());
        assertEquals(FeedForwardPlan.plain(512, ActivationFunction.GELU_TANH), layer.feedForward());
        assertEquals(List.of(), blueprint.rotations());
        assertEquals(List.of(384L, 128L), shape(plan, "blk.0.attn_qkv.weight"));
        assertEquals(28, plan.tensors().size());
    }

    private static TensorPlan golden(String name) {
        try (GgufFile file = GgufFile.open(SharedData.path("golden/models/" + name + ".gguf"))) {
            return Architectures.plan(file).tensors();
        }
    }

    @Test
    void shouldNameWhatItKnows() {
        refused("general.architecture is not supported: mamba\\u000a (supported: llama, qwen2, qwen3, gemma, gemma2, gemma3, "
                + "smollm3, phi3, gpt2,"
                + " bitnet, bitnet-25, bitnet-b1.58)",
                gpt2(Map.of("general.architecture", "mamba\n")));
    }

    @Test
    void shouldRefuseAContextBeyondTheLearnedPositions() {
        refused("gpt2.context_length=33 is more than the 32 positions of position_embd.weight",
                gpt2(Map.of("gpt2.context_length", POSITIONS + 1)));
        assertEquals(POSITIONS - 1, plan(gpt2(Map.of("gpt2.context_length", POSITIONS - 1))).blueprint().contextLength());
    }

    @Test
    void shouldRefuseGpt2FilesThatCannotBe() {
        refused("gpt2.attention.head_count=3 does not divide gpt2.embedding_length=64", gpt2(Map.of("gpt2.attention.head_count", 3)));
        refused("gpt2.block_count=3 must be from 1 to 2", gpt2(Map.of("gpt2.block_count", 3)));
        refused("gpt2.attention.layer_norm_epsilon=0.0 must be a finite number above 0",
                gpt2(Map.of("gpt2.attention.layer_norm_epsilon", 0f)));
        refused("gpt2.rope.freq_base=10000.0 is not known to this version, and may change how the model computes;"
                + " if it is a remark only, remove the key from the file", gpt2(Map.of("gpt2.rope.freq_base", 10_000f)));
        assertEquals(1, plan(gpt2(Map.of("gpt2.attention.layer_norm_rms_epsilon", 1e-6f))).blueprint().layers().size());
    }

    @Test
    void shouldRefuseBlueprintsThatCannotBe() {
        NormSpec norm = new NormSpec.Rms(1e-5f);
        LayerPlan layer = layer(4, 64);
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 9, 8, 1, List.of(layer), norm, true, 0)); // positions
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 1, 0, 1, List.of(), norm, true, 0));
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 1, 0, Float.NaN, List.of(layer), norm, true, 0));
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 1, 0, 1, List.of(layer), norm, true, -1));
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 1, 0, 1, List.of(layer, layer(2, 64)), norm, true, 0));
        assertThrows(ModelException.class, () -> new Blueprint("a", "a", 1, 1, 1, 0, 1, List.of(layer, layer(4, 65)), norm, true, 0));
        assertThrows(ModelException.class, () -> AttentionPlan.of(3, 2, 8, Rotation.NONE));
        assertThrows(ModelException.class, () -> AttentionPlan.of(2, 2, 8, new Rotation(Rotation.Pairing.HALVES, 10, 1e4f, 1, false)));
        assertThrows(ModelException.class, () -> new Rotation(Rotation.Pairing.HALVES, 8, 0, 1, false));
        assertThrows(ModelException.class, () -> new NormSpec.Layer(Float.POSITIVE_INFINITY, true));
    }

    private static LayerPlan layer(int heads, int size) {
        return new LayerPlan(new NormSpec.Rms(1e-5f), AttentionPlan.of(heads, 2, 8, Rotation.NONE),
                FeedForwardPlan.gated(size, ActivationFunction.SILU));
    }

    /** Layers that differ are told apart. */
    @Test
    void shouldSayWhichLayersDiffer() {
        LayerPlan one = layer(4, 64);
        AttentionPlan windowed =
                new AttentionPlan(4, 2, 8, false, false, false, Optional.empty(), Rotation.NONE, 5, 1, 0, Optional.empty());
        LayerPlan other = new LayerPlan(one.before(), windowed, one.feedForward());
        Map<String, String> words = new Blueprint("a", "a", 1, 1, 1, 0, 1, List.of(one, other, one), one.before(), false, 30).words();
        assertEquals("4 query heads and 2 key/value heads of 8 elements, no rotation (layers 0, 2); 4 query heads and 2 key/value heads of"
                + " 8 elements, no rotation, a window of 5 positions (layers 1)", words.get("attention"));
        assertEquals("a matrix of its own, logits capped at 30.0", words.get("output head"));
    }

    private static void refused(String message, GgufFile file) {
        assertEquals("model.gguf: " + message, assertThrows(ModelException.class, () -> Architectures.plan(file)).getMessage());
    }

    private static TensorPlan plan(GgufFile file) {
        return Architectures.plan(file).tensors();
    }

    /** Metadata, changed, and the two tensors that a blueprint of GPT-2 is read from. */
    private static GgufFile gpt2(Map<String, Object> changes) {
        Map<String, Object> metadata = new TreeMap<>(Map.of(
                "general.architecture", "gpt2",
                "gpt2.embedding_length", HIDDEN,
                "gpt2.block_count", 1,
                "gpt2.feed_forward_length", 256,
                "gpt2.context_length", POSITIONS,
                "gpt2.attention.head_count", 2,
                "gpt2.attention.layer_norm_epsilon", 1e-5f));
        metadata.putAll(changes);
        GgufWriter writer = new GgufWriter();
        metadata.forEach((key, value) -> {
            switch (value) {
                case Integer number -> writer.u32(key, number);
                case Float number -> writer.float32(key, number);
                default -> writer.string(key, value.toString());
            }
        });
        writer.tensor("token_embd.weight", new float[HIDDEN * 40], HIDDEN, 40);
        writer.tensor("position_embd.weight", new float[HIDDEN * POSITIONS], HIDDEN, POSITIONS);
        byte[] bytes = writer.toByteArray();
        return GgufFile.of(Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes)), "model.gguf");
    }
}

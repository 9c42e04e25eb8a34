package dev.tidestream.model.architecture.family;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Yarn;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.tensor.ActivationFunction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the families make of metadata as converters write it. */
class FamiliesTest {
    private static final int HIDDEN = 64;
    private static final int CONTEXT = 256;

    /** A file of a family with these values beside the usual ones, an embedding, and such vectors. */
    private static GgufFile file(String family, int layers, Map<String, Object> more, String... vectors) {
        Map<String, Object> metadata = new TreeMap<>(Map.of(
                "embedding_length", HIDDEN, "block_count", layers, "feed_forward_length", 128, "context_length", CONTEXT,
                "attention.head_count", 4, "attention.head_count_kv", 2, "attention.layer_norm_rms_epsilon", 1e-6f));
        metadata.putAll(more);
        GgufWriter writer = new GgufWriter();
        writer.string("general.architecture", family);
        metadata.forEach((key, value) -> {
            switch (value) {
                case Integer number -> writer.u32(family + "." + key, number);
                case Float number -> writer.float32(family + "." + key, number);
                default -> writer.string(family + "." + key, value.toString());
            }
        });
        writer.tensor("token_embd.weight", new float[HIDDEN * 40], HIDDEN, 40);
        for (int i = 0; i < Math.max(vectors.length, layers); i++) { // as many tensors as layers at least
            writer.tensor(i < vectors.length ? vectors[i] : "filler." + i, new float[8], 8);
        }
        byte[] bytes = writer.toByteArray();
        return GgufFile.of(Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes)), "model.gguf");
    }

    private static Blueprint blueprint(String family, int layers, Map<String, Object> more, String... vectors) {
        return Architectures.plan(file(family, layers, more, vectors)).tensors().blueprint();
    }

    private static AttentionPlan attention(Blueprint blueprint, int layer) {
        return blueprint.layers().get(layer).attention();
    }

    private static List<Long> shape(TensorPlan plan, String name) {
        return Objects.requireNonNull(plan.tensors().get(name), name).shape();
    }

    private static List<Integer> windows(Blueprint blueprint) {
        return blueprint.layers().stream().map(layer -> layer.attention().window()).toList();
    }

    @Test
    void shouldReadGemma2() {
        Blueprint gemma = blueprint("gemma2", 4, Map.of("attention.sliding_window", 100, "attention.key_length", 32,
                "attention.value_length", 32, "attn_logit_softcapping", 50f, "final_logit_softcapping", 30f));
        assertEquals(List.of(100, 0, 100, 0), windows(gemma));
        assertEquals(8f, gemma.embeddingScale());
        assertEquals(30f, gemma.logitSoftcap());
        assertEquals(50f, attention(gemma, 1).softcap());
        assertEquals((float) (1 / Math.sqrt(32)), attention(gemma, 0).scale());
        assertEquals(new Rotation(Rotation.Pairing.HALVES, 32, 10_000f, 1, false), attention(gemma, 0).rotation());
        assertEquals(Optional.of(new NormSpec.Rms(1e-6f)), gemma.layers().getFirst().after());
        assertEquals(ActivationFunction.GELU_TANH, gemma.layers().getFirst().feedForward().function());
        assertTrue(gemma.tied());
    }

    /** Its scores are scaled by the hidden size per head, not by the head's. */
    @Test
    void shouldReadGemma2Of27Billion() {
        Blueprint gemma = blueprint("gemma2", 46, Map.of("attention.key_length", 32, "attention.value_length", 32));
        assertEquals(0.25f, attention(gemma, 45).scale());
    }

    @Test
    void shouldReadGemma3() {
        Blueprint gemma = blueprint("gemma3", 7, Map.of("attention.sliding_window", 16, "rope.freq_base", 1e6f,
                "rope.scaling.type", "linear", "rope.scaling.factor", 8f));
        assertEquals(List.of(16, 16, 16, 16, 16, 0, 16), windows(gemma));
        assertEquals(1f / 8, attention(gemma, 5).rotation().positionScale());
        assertEquals(new Rotation(Rotation.Pairing.HALVES, 16, 10_000f, 1, false), attention(gemma, 0).rotation(),
                "local ones are not scaled");
        assertTrue(attention(gemma, 0).queryKeyNorm().isPresent());
        assertEquals(List.of(1, 0, 1), windows(blueprint("gemma3", 3,
                Map.of("attention.sliding_window", 1, "attention.sliding_window_pattern", 2))));
    }

    @Test
    void shouldReadGemma1() {
        Blueprint gemma = blueprint("gemma", 2, Map.of());
        assertEquals(8f, gemma.embeddingScale());
        assertTrue(gemma.layers().getFirst().after().isEmpty());
        assertEquals(0, gemma.logitSoftcap());
    }

    @Test
    void shouldReadSmolLm3() {
        Blueprint smol = blueprint("smollm3", 9, Map.of("rope.freq_base", 5e6f));
        List<Integer> without = IntStream.range(0, 9)
                .filter(i -> attention(smol, i).rotation().pairing() == Rotation.Pairing.NONE).boxed().toList();
        assertEquals(List.of(3, 7), without);
    }

    @Test
    void shouldReadPhi3() {
        TensorPlan plan = Architectures.plan(file("phi3", 1, Map.of("attention.sliding_window", 200))).tensors();
        assertEquals(List.of(128L, 64L), shape(plan, "blk.0.attn_qkv.weight"));
        assertEquals(List.of(256L, 64L), shape(plan, "blk.0.ffn_up.weight"));
        assertFalse(plan.tensors().containsKey("blk.0.ffn_gate.weight"));
        assertEquals(List.of(200), windows(plan.blueprint()));
    }

    /** LongRoPE: the factors for long contexts, where the model has one. */
    @ParameterizedTest
    @CsvSource({"64, ROTATION_FACTORS_LONG, rope_factors_long.weight", "256, ROTATION_FACTORS_SHORT, rope_factors_short.weight"})
    void shouldTakeTheFactorsOfTheContext(int original, TensorRole role, String name) {
        TensorPlan plan = Architectures.plan(file("phi3", 1,
                Map.of("rope.scaling.original_context_length", original, "rope.scaling.attn_factor", 1.25f),
                "rope_factors_long.weight", "rope_factors_short.weight")).tensors();
        Rotation rotation = attention(plan.blueprint(), 0).rotation();
        assertEquals(Optional.of(role), rotation.factors());
        assertEquals(1.25f, rotation.amplitude());
        assertTrue(plan.tensors().containsKey(name));
    }

    @Test
    void shouldReadYarn() {
        Rotation rotation = attention(blueprint("qwen2", 1, Map.of("rope.scaling.type", "yarn", "rope.scaling.factor", 4f,
                "rope.scaling.original_context_length", 64)), 0).rotation();
        assertEquals(Optional.of(new Yarn(4, 64, 32, 1)), rotation.yarn());
        assertEquals((float) (1 + 0.1 * Math.log(4)), rotation.amplitude());
        assertEquals(1, rotation.positionScale());
    }

    @Test
    void shouldReadAWindow() {
        assertEquals(List.of(100), windows(blueprint("llama", 1, Map.of("attention.sliding_window", 100))));
        assertEquals(List.of(0), windows(blueprint("llama", 1, Map.of("attention.sliding_window", CONTEXT))), "sees all there is");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "llama | rope.scaling.type=longrope | llama.rope.scaling.type=longrope needs a tensor of factors, and the file has none",
        "llama | rope.scaling.type=yarn | llama.rope.scaling.type=yarn needs a factor: llama.rope.scaling.factor is missing",
        "llama | rope.scaling.yarn_ext_factor=1 | llama.rope.scaling.yarn_ext_factor=1.0 is not supported: the type none has another",
        "llama | rope.scaling.yarn_attn_factor=2 | llama.rope.scaling.yarn_attn_factor=2.0 is not supported: it is of YaRN, "
                + "which is not asked for",
        "gemma2 | attn_logit_softcapping=-1 | gemma2.attn_logit_softcapping=-1.0 must be a finite number from 0 on",
        "gemma2 | attention.sliding_window_pattern=0 | gemma2.attention.sliding_window_pattern=0 must be at least 1",
        "phi3 | feed_forward_length=100 | a matrix of gate and values needs 32 rows at least of each, in whole panels, and no "
                + "bias: size=100",
        "qwen3moe | expert_count=8 | general.architecture is not supported: qwen3moe, a mixture of experts (supported: llama, qwen2, qwen3,"
                + " gemma, gemma2, gemma3, smollm3, phi3, gpt2, bitnet, bitnet-25, bitnet-b1.58)",
        "mllama | expert_count=8 | general.architecture is not supported: mllama, a multimodal model (supported: llama, qwen2, qwen3,"
                + " gemma, gemma2, gemma3, smollm3, phi3, gpt2, bitnet, bitnet-25, bitnet-b1.58)",
    })
    void shouldRefuse(String family, String setting, String why) {
        String[] parts = setting.split("=", 2);
        Object value = parts[1].matches("-?[0-9]+")
                ? parts[0].contains("length") || parts[0].contains("count") || parts[0].contains("pattern")
                        ? (Object) Integer.valueOf(parts[1]) : (Object) Float.valueOf(parts[1])
                : parts[1];
        GgufFile file = file(family, 1, Map.of(parts[0], value));
        assertEquals("model.gguf: " + why, assertThrows(ModelException.class, () -> Architectures.plan(file)).getMessage());
    }
}

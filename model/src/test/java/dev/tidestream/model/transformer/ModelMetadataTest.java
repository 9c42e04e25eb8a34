package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a file's metadata may say of how a model computes: understood, or refused by key and value. */
class ModelMetadataTest {
    private static final int[] TOKENS = {1, 87, 86, 70, 65, 80, 70, 1, 90, 65};

    @Test
    void shouldTakeAFactorWithoutATypeAsLinear() {
        float[] none = logits(f32());
        float[] linear = logits(f32().with("llama.rope.scaling.type", "linear").with("llama.rope.scaling.factor", 4f));
        assertFalse(Arrays.equals(none, linear));
        assertArrayEquals(linear, logits(f32().with("llama.rope.scaling.factor", 4f)));
        assertArrayEquals(linear, logits(f32().with("llama.rope.scale_linear", 4f)));
        assertArrayEquals(linear, logits(f32().with("llama.rope.scaling.type", "linear").with("llama.rope.scale_linear", 4f)));
        assertArrayEquals(linear, logits(f32().with("llama.rope.scaling.factor", 4f).with("llama.rope.scale_linear", 4f)));
        assertArrayEquals(none, logits(f32().with("llama.rope.scaling.type", "none").with("llama.rope.scaling.factor", 4f)));
        assertArrayEquals(none, logits(f32().with("llama.rope.scaling.factor", 1f)));
    }

    @Test
    void shouldComputeWindowsAndScalings() {
        float[] none = logits(f32());
        for (RandomLlama other : List.of(f32().with("llama.attention.sliding_window", 4),
                f32().with("llama.rope.scaling.attn_factor", 1.2f),
                f32().with("llama.rope.scaling.type", "yarn").with("llama.rope.scaling.factor", 4f))) {
            assertFalse(Arrays.equals(none, logits(other)));
        }
        assertArrayEquals(none, logits(f32().with("llama.attention.sliding_window", TOKENS.length)));
    }

    @Test
    void shouldReadTheFilesOfTheReports() {
        float[] linear = shared("cases/rope_lin.gguf");
        assertArrayEquals(linear, shared("cases/rope_factor_only.gguf"));
        assertFalse(Arrays.equals(linear, shared("cases/rope_none.gguf")));
    }

    private static float[] shared(String model) {
        try (LoadedModel loaded = TestModels.load(model, KernelSelection.vector())) {
            return logits(loaded, new int[] {1, 287, 286, 270, 265, 280, 270, 1, 290, 265});
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "llama.rope.scaling.type | '' | is not supported (supported: none, linear, yarn, longrope)",
        "llama.rope.scaling.type | linear | needs a factor: llama.rope.scaling.factor is missing",
        "llama.rope.scaling.type | longrope | needs a tensor of factors, and the file has none",
        "llama.attention.causal | false | is not supported: attention to later tokens",
        "llama.use_parallel_residual | true | is not supported: attention and feed-forward side by side",
        "llama.attention.scale | 0.5 | is not supported: another scale of attention scores",
        "llama.attention.clamp_kqv | 8.0 | is not supported: clamping of queries, keys and values",
        "llama.attention.max_alibi_bias | 8.0 | is not supported: ALiBi, a bias by distance",
        "llama.attn_logit_softcapping | 50.0 | is not supported: capping of scores or logits",
        "llama.final_logit_softcapping | 30.0 | is not supported: capping of scores or logits",
        "llama.logit_scale | 8.0 | is not supported: a scale of logits",
        "llama.residual_scale | 0.22 | is not supported: a scale of residuals",
        "llama.embedding_scale | 12.0 | is not supported: a scale of embeddings",
        "llama.pooling_type | 1 | is not supported: pooling: a model of embeddings, not of text",
        "llama.expert_used_count | 2 | is not supported: a mixture of experts",
        "llama.rope.scaling.attn_factor | -1.2 | must be a finite number above 0",
        "llama.tensor_data_layout | mirrored | is not supported: another order of elements",
        "llama.attention.value_length | 8 | is not supported: keys and values of different length"
                + " (llama.attention.key_length=16)",
        "llama.attention.sink | 4 | is not known to this version, and may change how the model computes; if it is a remark only,"
                + " remove the key from the file",
    })
    void shouldRefuseWhatItDoesNotCompute(String key, String value, String why) {
        assertRefused("%s=%s %s".formatted(key, value, why), f32().with(key, typed(value)));
    }

    private static Object typed(String value) {
        if (value.equals("true") || value.equals("false")) {
            return Boolean.valueOf(value);
        }
        try {
            return value.contains(".") ? (Object) Float.valueOf(value) : (Object) Integer.valueOf(value);
        } catch (NumberFormatException e) {
            return value;
        }
    }

    @Test
    void shouldTakeKeysThatChangeNothing() {
        float[] plain = logits(f32());
        assertArrayEquals(plain, logits(f32()
                .with("llama.vocab_size", 100).with("llama.attention.sliding_window", 128).with("llama.attention.causal", true)
                .with("llama.attention.scale", 0.25f).with("llama.attention.clamp_kqv", 0f)
                .with("llama.final_logit_softcapping", 0f).with("llama.logit_scale", 1f)
                .with("llama.embedding_scale", 0f).with("llama.expert_count", 0)
                .with("llama.expert_used_count", 0).with("llama.use_parallel_residual", false).with("llama.pooling_type", 0)
                .with("llama.tensor_data_layout", "Meta AI original pth").with("llama.rope.scaling.finetuned", true)
                .with("llama.rope.scaling.original_context_length", 64).with("llama.rope.dimension_count", 16)
                .with("llama.attention.key_length", 16).with("llama.attention.value_length", 16)
                .with("qwen2.attention.sliding_window", 4).with("general.type", "model").with("general.tags", List.of("tales"))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "llama.rope.scaling.factor | 0.0 | must be a finite number above 0",
        "llama.rope.scaling.factor | -4.0 | must be a finite number above 0",
        "llama.rope.scaling.factor | NaN. | must be a finite number above 0",
        "llama.rope.scaling.factor | 1.0E-42 | is too small: positions are divided by it",
        "llama.rope.freq_base | 0.0 | must be a finite number above 0",
        "llama.rope.freq_base | NaN. | must be a finite number above 0",
        "llama.rope.freq_base | Infinity. | must be a finite number above 0",
        "llama.attention.layer_norm_rms_epsilon | NaN. | must be a finite number above 0",
        "llama.attention.layer_norm_rms_epsilon | 0.0 | must be a finite number above 0",
        "llama.attention.layer_norm_rms_epsilon | -1.0E-5 | must be a finite number above 0",
        "llama.context_length | 0 | must be at least 1",
        "llama.context_length | 1 | is too short: at least 2 positions are needed, one for a prompt and one for what follows",
        "llama.attention.head_count | 0 | must be at least 1",
        "llama.attention.head_count | 66 | is more than llama.embedding_length=64",
        "llama.attention.head_count | 64 | does not fit heads of 1 elements (llama.attention.key_length, or its share of"
                + " llama.embedding_length=64): they must be of an even size",
        "llama.attention.head_count_kv | 0 | must be at least 1",
        "llama.attention.head_count_kv | 8 | does not divide llama.attention.head_count=4",
        "llama.attention.key_length | 0 | must be at least 1",
        "llama.embedding_length | 0 | must be at least 1",
        "llama.feed_forward_length | 0 | must be at least 1",
        "llama.block_count | 2147483647 | must be from 1 to 20",
        "llama.rope.dimension_count | 15 | is odd, or more than the 16 elements of a head: pairs of them are rotated",
        "llama.rope.dimension_count | 18 | is odd, or more than the 16 elements of a head: pairs of them are rotated",
        "llama.rope.dimension_count | 0 | must be at least 1",
    })
    void shouldRefuseDegenerateNumbers(String key, String value, String why) {
        Object number = value.endsWith(".") ? Float.valueOf(value.replace(".", "")) : typed(value);
        assertRefused("%s=%s %s".formatted(key, number, why), f32().with(key, number));
    }

    @Test
    void shouldRefuseContradictions() {
        assertRefused("llama.rope.scale_linear=2.0 contradicts llama.rope.scaling.factor=4.0",
                f32().with("llama.rope.scaling.factor", 4f).with("llama.rope.scale_linear", 2f));
        assertRefused("general.quantization_version=1 is not supported: another layout of quantised tensors (supported: 2)",
                new RandomLlama(TensorFormat.Q8_0).with("general.quantization_version", 1));
        assertRefused("general.type=adapter: not a model that makes text (supported: model)",
                f32().with("general.type", "adapter"));
        assertRefused("tensor output_norm.weight is a vector of a type this version cannot compute with: Q8_0"
                + " (supported: [F32, F16, BF16])", f32().typed("output_norm.weight", GgmlType.Q8_0));
        assertRefused("tokenizer.ggml.tokens has 102 tokens, but token_embd.weight only 100 rows: each token needs one",
                f32().with("tokenizer.ggml.tokens", Arrays.asList(new Object[102])));
    }

    @Test
    void shouldRefuseFactorsThatStretchToNothing() {
        assertArrayEquals(logits(f32()), logits(f32().ropeFactors(1, 1, 1, 1, 1, 1, 1, 1)));
        for (float factor : new float[] {0, -1}) {
            String message = "random.gguf: factor 3 of the rotation must be a finite number above 0: %s".formatted(factor);
            assertEquals(message, assertThrows(ModelException.class,
                    () -> load(f32().ropeFactors(1, 1, 1, factor, 1, 1, 1, 1))).getMessage());
        }
    }

    @Test
    void shouldTakeRowsOfPadding() {
        RandomLlama padded = f32().with("tokenizer.ggml.tokens", Arrays.asList(new Object[98]));
        try (GgufFile file = padded.file(); LoadedModel model = load(padded)) {
            assertEquals(98, file.tokens().orElseThrow());
            assertEquals(100, model.blueprint().vocabularySize());
        }
    }

    @Test
    void shouldRefuseTheModelsOfTheReports() {
        assertEquals("tokenizer.ggml.tokens has 291 tokens, but token_embd.weight only 289 rows: each token needs one",
                refusalOfShared("cases/spm_Vminus2.gguf"));
        assertEquals("llama.rope.scaling.factor=0.0 must be a finite number above 0", refusalOfShared("cases/rope_f0.gguf"));
        assertEquals("llama.context_length=1 is too short: at least 2 positions are needed, one for a prompt and one for"
                + " what follows", refusalOfShared("cases/ctx1.gguf"));
    }

    private static String refusalOfShared(String model) {
        try (GgufFile file = GgufFile.open(SharedData.path(model))) {
            String message = String.valueOf(assertThrows(ModelException.class, () -> new ModelLoader(file).check()).getMessage());
            assertTrue(message.startsWith(file.path() + ": "), message);
            return message.substring(file.path().toString().length() + 2);
        }
    }

    private static void assertRefused(String message, RandomLlama model) {
        try (GgufFile file = model.file()) {
            assertEquals("random.gguf: " + message,
                    assertThrows(ModelException.class, () -> new ModelLoader(file).check()).getMessage());
        }
    }

    private static RandomLlama f32() {
        return new RandomLlama(TensorFormat.F32);
    }

    private static LoadedModel load(RandomLlama model) {
        try (GgufFile file = model.file()) {
            return ModelLoader.load(file, KernelSelection.vector(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
    }

    private static float[] logits(RandomLlama model) {
        try (LoadedModel loaded = load(model)) {
            return logits(loaded, TOKENS);
        }
    }

    private static float[] logits(LoadedModel model, int[] tokens) {
        Transformer transformer = model.newTransformer(
                WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, tokens.length);
        return TestModels.logits(transformer, tokens, tokens.length);
    }
}

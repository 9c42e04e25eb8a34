package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ModelLoaderTest {
    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.MATCH_NONE, names = {"Q._K", "TQ.*", "I2_S"}) // the model is too narrow
    void shouldComputeEveryFormatToTheOraclesBits(TensorFormat format) {
        int[] tokens = new SplittableRandom(3).ints(20, 0, 100).toArray();
        for (ActivationPrecision activations : ActivationPrecision.values()) {
            float[] expected = logits(new RandomLlama(format), KernelSelection.scalar(), activations, tokens);
            assertArrayEquals(expected, logits(new RandomLlama(format), KernelSelection.vector(), activations, tokens));
        }
    }

    @Test
    void shouldUseAHeadOfItsOwnWhereThereIsOne() {
        int[] tokens = {1, 2, 3};
        try (LoadedModel untied = load(new RandomLlama(TensorFormat.F32).untied(), KernelSelection.vector());
                LoadedModel tied = load(new RandomLlama(TensorFormat.F32), KernelSelection.vector())) {
            assertFalse(untied.blueprint().tied());
            assertTrue(tied.blueprint().tied());
            assertTrue(untied.weights().bytes() > tied.weights().bytes());
            float[] a = TestModels.logits(
                    untied.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, 8), tokens, 3);
            float[] b = TestModels.logits(
                    tied.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, 8), tokens, 3);
            assertFalse(Arrays.equals(a, b));
        }
    }

    @Test
    void shouldScalePositionsLinearly() {
        int[] tokens = {1, 2, 3, 4};
        RandomLlama scaled = new RandomLlama(TensorFormat.F32)
                .with("llama.rope.scaling.type", "linear").with("llama.rope.scaling.factor", 4f);
        float[] a = logits(scaled, KernelSelection.vector(), ActivationPrecision.F32, tokens);
        float[] b = logits(new RandomLlama(TensorFormat.F32), KernelSelection.vector(), ActivationPrecision.F32, tokens);
        assertEquals(a[0], b[0]); // position 0 is never turned
        assertFalse(Arrays.equals(a, b));
    }

    @Test
    void shouldRefuseWhatItCannotRun() {
        refused("random.gguf: general.architecture is not supported: gpt4 (supported: llama, qwen2, qwen3, gemma, gemma2, "
                + "gemma3, smollm3, phi3, gpt2,"
                + " bitnet, bitnet-25, bitnet-b1.58)",
                f32().with("general.architecture", "gpt4"));
        refused("random.gguf: tensor blk.1.ffn_up.weight has shape [64, 95], expected [64, 96]",
                f32().shaped("blk.1.ffn_up.weight", 64, 95));
        refused("random.gguf: tensor blk.0.attn_q.weight has a type this version cannot compute with: MXFP4"
                        + " (supported: " + Arrays.toString(TensorFormat.values()) + ")",
                f32().typed("blk.0.attn_q.weight", GgmlType.MXFP4));
        refused("random.gguf: llama.attention.head_count_kv=3 does not divide llama.attention.head_count=4",
                f32().with("llama.attention.head_count_kv", 3));
        refused("random.gguf: llama.block_count=0 must be from 1 to 20", f32().with("llama.block_count", 0));
        refused("random.gguf: tensor blk.1.attn_norm.weight is not part of a llama model as this version knows it",
                f32().with("llama.block_count", 1));
        refused("random.gguf: llama.expert_count=8 is not supported: a mixture of experts", f32().with("llama.expert_count", 8));
        refused("random.gguf: llama.rope.scaling.type=su is not supported (supported: none, linear, yarn, longrope)",
                f32().with("llama.rope.scaling.type", "su"));
        refused("random.gguf: tensor token_embd.weight: tied weight does not fit the model: hidden=32, model hidden=64",
                f32().shaped("token_embd.weight", 32, 100));
        String missing = assertThrows(GgufException.class, () -> load(f32().without("blk.0.ffn_down.weight"), KernelSelection.vector()))
                .toString();
        assertTrue(missing.contains("random.gguf") && missing.contains("blk.0.ffn_down.weight"), missing);
    }

    /** What inspect asks, before weights are loaded. */
    @Test
    void shouldLookAtVectorsWhenItChecks() {
        try (GgufFile file = f32().nan("output_norm.weight").file()) {
            ModelLoader loader = new ModelLoader(file);
            assertEquals("random.gguf: tensor output_norm.weight is not finite at 3: NaN",
                    assertThrows(ModelException.class, loader::check).getMessage());
        }
    }

    private static RandomLlama f32() {
        return new RandomLlama(TensorFormat.F32);
    }

    private static void refused(String message, RandomLlama model) {
        assertEquals(message, assertThrows(ModelException.class, () -> load(model, KernelSelection.vector())).getMessage());
    }

    private static LoadedModel load(RandomLlama model, Kernels kernels) {
        try (GgufFile file = model.file()) {
            return ModelLoader.load(file, kernels, WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
        }
    }

    private static float[] logits(RandomLlama model, Kernels kernels, ActivationPrecision activations, int[] tokens) {
        try (LoadedModel loaded = load(model, kernels)) {
            return TestModels.logits(loaded.newTransformer(WorkerTeam.sequential(), activations, 32), tokens, 7);
        }
    }
}

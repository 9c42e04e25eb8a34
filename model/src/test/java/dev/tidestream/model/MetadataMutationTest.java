package dev.tidestream.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.TokenizerException;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;
import dev.tidestream.model.transformer.Transformer;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/**
 * Models with wrong values of the keys that are read, of any type: each one is refused by file and key (or by the tensor that
 * does not fit, or by the key that the value calls for), in one line, or makes a token. Others:
 * {@code -Dtidestream.mutation.seed=N}.
 */
class MetadataMutationTest {
    private static final int MODELS = 1500;
    private static final long SEED = 20261130;
    private static final int VOCABULARY = 100;

    private static final List<String> KEYS = List.of(
            "general.architecture", "general.type", "general.name", "general.alignment", "general.quantization_version",
            "llama.embedding_length", "llama.block_count", "llama.feed_forward_length", "llama.context_length",
            "llama.attention.head_count", "llama.attention.head_count_kv", "llama.attention.key_length",
            "llama.attention.value_length", "llama.attention.layer_norm_rms_epsilon", "llama.rope.freq_base",
            "llama.rope.dimension_count", "llama.rope.scaling.type", "llama.rope.scaling.factor", "llama.rope.scale_linear",
            "llama.rope.scaling.attn_factor", "llama.attention.sliding_window", "llama.attention.causal", "llama.attention.scale",
            "llama.final_logit_softcapping", "llama.logit_scale", "llama.expert_count", "llama.vocab_size", "llama.no.such.key",
            "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.merges",
            "tokenizer.ggml.token_type", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.eot_token_id", "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.add_bos_token",
            "tokenizer.ggml.add_eos_token", "split.no", "split.count", "split.tensors.count");

    private static final List<Object> VALUES = List.of(
            0, 1, 2, 3, 4, 16, 63, 64, 65, 100, 4096, 65_536, Integer.MAX_VALUE, Integer.MIN_VALUE, -1,
            0L, 1L, -1L, 1L << 40, Long.MIN_VALUE,
            0f, -0f, 1f, -1f, 0.5f, 4f, 1e-5f, 1e-42f, 1e30f, Float.MIN_VALUE, Float.MAX_VALUE, Float.NaN,
            Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY,
            true, false,
            "", "none", "linear", "yarn", "llama", "gpt2", "model", "x\n\u001b[31m\u2028", "é🦙", "a".repeat(5000),
            new int[0], new int[] {1, -1, 1 << 30}, new int[VOCABULARY],
            List.of(), List.of("a b", "", "\u0000"), IntStream.range(0, 101).mapToObj(i -> "t" + i).toList());

    @Test
    void shouldRefuseByKeyOrMakeATokenWhateverTheValues() {
        long seed = Long.getLong("tidestream.mutation.seed", SEED);
        System.out.printf("MetadataMutationTest: -Dtidestream.mutation.seed=%d%n", seed);
        SplittableRandom random = new SplittableRandom(seed);
        int refused = 0;
        for (int i = 0; i < MODELS; i++) {
            RandomLlama model = model();
            List<String> changed = new ArrayList<>();
            for (int faults = random.nextInt(4) == 0 ? 2 : 1; faults > 0; faults--) {
                String key = KEYS.get(random.nextInt(KEYS.size()));
                Object value = VALUES.get(random.nextInt(VALUES.size()));
                model.with(key, value);
                changed.add(key + "=" + (value instanceof int[] array ? "int[" + array.length + "]" : value));
            }
            String where = "seed=%d, model %d: %s".formatted(seed, i, changed);
            String refusal = refusal(model, where);
            if (refusal != null) {
                refused++;
                assertTrue(refusal.length() < 1200 && refusal.lines().count() == 1
                        && refusal.chars().noneMatch(Character::isISOControl), () -> where + ": " + refusal);
                boolean named = changed.stream().anyMatch(change -> refusal.contains(change.substring(0, change.indexOf('='))));
                assertTrue(named || refusal.contains("tensor ") || refusal.contains("is missing"), () -> where + ": " + refusal);
            }
        }
        System.out.printf("MetadataMutationTest: refused %d of %d%n", refused, MODELS);
        assertTrue(refused > MODELS / 4 && refused < MODELS * 19 / 20, "one outcome alone shows little: refused=" + refused);
    }

    private static RandomLlama model() {
        return new RandomLlama(TensorFormat.Q8_0).tame()
                .with("tokenizer.ggml.model", "gpt2")
                .with("tokenizer.ggml.tokens", IntStream.range(0, VOCABULARY).mapToObj(i -> Character.toString('A' + i)).toList())
                .with("tokenizer.ggml.merges", List.of());
    }

    /** Why it is refused; null if it is not, and a token was made. */
    private static @Nullable String refusal(RandomLlama model, String where) {
        try (GgufFile file = model.file()) {
            ModelLoader loader = new ModelLoader(file);
            loader.check();
            Tokenizer tokenizer = GgufTokenizer.tokenizer(file.metadata());
            try (LoadedModel loaded =
                    loader.load(KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
                int[] prompt = tokenizer.encodePrompt("A prompt", true);
                int[] tokens = prompt.length == 0 ? new int[] {1} : prompt;
                int count = Math.min(tokens.length, loaded.blueprint().contextLength());
                Transformer transformer = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, count);
                float[] logits = TestModels.logits(transformer, Arrays.copyOf(tokens, count), count);
                int used = Math.min(tokenizer.usedTokens(), VOCABULARY);
                new Sampler(KernelSelection.fastest(), SamplingParams.greedy(), used, tokens).sample(logits, (count - 1) * VOCABULARY);
            }
            return null;
        } catch (GgufException | ModelException e) {
            assertTrue(String.valueOf(e.getMessage()).startsWith("random.gguf: "), () -> where + ": " + e);
            return e.getMessage();
        } catch (TokenizerException e) {
            return e.getMessage();
        } catch (RuntimeException | Error e) {
            return fail(where, e);
        }
    }
}

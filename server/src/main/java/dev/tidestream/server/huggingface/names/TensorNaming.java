package dev.tidestream.server.huggingface.names;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a family calls its tensors, and how they are stored.
 *
 * @param layers the part of names in front of a layer's number
 * @param stems GGUF's names for theirs, without {@code weight} or {@code bias}; of layers without what names the layer
 * @param transposed those whose matrices are stored with inputs as rows
 * @param interleaved whether GGUF files have the two halves of each head of queries and keys interleaved
 * @param oneAdded whether GGUF files have 1 added to the weights of norms
 */
public record TensorNaming(String layers, Map<String, String> stems, Set<String> transposed, boolean interleaved, boolean oneAdded) {
    /** In front of the names of a language model in another model; the first that fits is taken off. */
    private static final List<String> PREFIXES =
            List.of("language_model.model.", "model.language_model.", "language_model.", "model.", "transformer.");

    private static final Pattern LAYER = Pattern.compile("(layers|h)\\.(0|[1-9]\\d{0,6})\\.(.+)\\.(weight|bias|weight_scale)");
    private static final Pattern GGUF_LAYER = Pattern.compile("blk\\.(0|[1-9]\\d{0,6})\\.(.+)\\.(weight|bias)");
    private static final String HEAD = "lm_head";
    private static final Pattern OUTSIDE = Pattern.compile("(.+)\\.(weight|bias)");
    private static final Pattern BUFFER = Pattern.compile("(?:.*\\.)?(?:rotary_emb\\.inv_freq|h\\.\\d+\\.attn\\.(?:bias|masked_bias))");

    private static final Map<String, String> LLAMA_STEMS = Map.ofEntries(
            Map.entry("embed_tokens", "token_embd"),
            Map.entry("norm", "output_norm"),
            Map.entry("lm_head", "output"),
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("post_attention_layernorm", "ffn_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"));

    /** Llama, Mistral and SmolLM3. */
    public static final TensorNaming LLAMA = new TensorNaming("layers", LLAMA_STEMS, Set.of(), true, false);
    /** Qwen2: as Llama, with the halves of heads as they are. */
    public static final TensorNaming HALVES = new TensorNaming("layers", LLAMA_STEMS, Set.of(), false, false);
    /** Qwen3. */
    public static final TensorNaming QWEN3 = HALVES.with(Map.of("self_attn.q_norm", "attn_q_norm", "self_attn.k_norm", "attn_k_norm"));
    /** Phi-3: queries, keys and values in one matrix, gate and up in another. */
    public static final TensorNaming PHI3 = HALVES.with(Map.of("self_attn.qkv_proj", "attn_qkv", "mlp.gate_up_proj", "ffn_up"));
    /** BitNet. */
    public static final TensorNaming BITNET = HALVES.with(Map.of("self_attn.attn_sub_norm", "attn_sub_norm", "mlp.ffn_sub_norm", "ffn_sub_norm"));
    /** Gemma. */
    public static final TensorNaming GEMMA = new TensorNaming("layers", LLAMA_STEMS, Set.of(), false, true);
    /** Gemma 2. */
    public static final TensorNaming GEMMA2 = GEMMA.with(Map.of("post_attention_layernorm", "post_attention_norm",
            "pre_feedforward_layernorm", "ffn_norm", "post_feedforward_layernorm", "post_ffw_norm"));
    /** Gemma 3. */
    public static final TensorNaming GEMMA3 = GEMMA2.with(Map.of("self_attn.q_norm", "attn_q_norm", "self_attn.k_norm", "attn_k_norm"));
    /** GPT-2. */
    public static final TensorNaming GPT2 = new TensorNaming("h", Map.ofEntries(
            Map.entry("wte", "token_embd"),
            Map.entry("wpe", "position_embd"),
            Map.entry("ln_f", "output_norm"),
            Map.entry("lm_head", "output"),
            Map.entry("ln_1", "attn_norm"),
            Map.entry("attn.c_attn", "attn_qkv"),
            Map.entry("attn.c_proj", "attn_output"),
            Map.entry("ln_2", "ffn_norm"),
            Map.entry("mlp.c_fc", "ffn_up"),
            Map.entry("mlp.c_proj", "ffn_down")), Set.of("attn_qkv", "attn_output", "ffn_up", "ffn_down"), false, false);

    public TensorNaming {
        stems = Map.copyOf(stems);
        transposed = Set.copyOf(transposed);
    }

    private TensorNaming with(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(stems);
        all.putAll(more);
        return new TensorNaming(layers, all, transposed, interleaved, oneAdded);
    }

    /**
     * The name of a tensor in GGUF.
     *
     * @param stem of {@link #stems}
     * @param ggufName with what names the layer, and the suffix
     * @param suffix {@code weight}, {@code bias} or {@code weight_scale}
     */
    public record Name(String stem, String ggufName, String suffix) {
        /** Whether it belongs to a norm. */
        public boolean isNorm() {
            return stem.endsWith("_norm");
        }

        /** Whether it is what queries or keys are made with, in heads. */
        public boolean isQueryOrKey() {
            return stem.equals("attn_q") || stem.equals("attn_k");
        }
    }

    /** Whether a tensor is no weight, but something computed that was stored with them. */
    public static boolean isBuffer(String name) {
        return BUFFER.matcher(name).matches();
    }

    /** The name of a tensor, if the family has one like it. */
    public Optional<Name> find(String name) {
        String rest = PREFIXES.stream().filter(name::startsWith).findFirst().map(prefix -> name.substring(prefix.length())).orElse(name);
        Matcher layer = LAYER.matcher(rest);
        if (layer.matches()) {
            String suffix = layer.group(4);
            return layer.group(1).equals(layers) ? stem(layer.group(3), true)
                    .map(stem -> new Name(stem, "blk.%s.%s.%s".formatted(layer.group(2), stem, suffix), suffix)) : Optional.empty();
        }
        Matcher outside = OUTSIDE.matcher(rest);
        return outside.matches() ? stem(outside.group(1), false)
                .map(stem -> new Name(stem, stem + "." + outside.group(2), outside.group(2))) : Optional.empty();
    }

    /** The name that folders of the family have for a tensor of GGUF, if they have one like it. */
    public Optional<String> theirs(String ggufName) {
        Matcher layer = GGUF_LAYER.matcher(ggufName);
        Matcher outside = OUTSIDE.matcher(ggufName);
        if (layer.matches()) {
            return theirStem(layer.group(2))
                    .map(stem -> "%s%s.%s.%s.%s".formatted(prefix(), layers, layer.group(1), stem, layer.group(3)));
        }
        return outside.matches()
                ? theirStem(outside.group(1)).map(stem -> (stem.equals(HEAD) ? "" : prefix()) + stem + "." + outside.group(2))
                : Optional.empty();
    }

    private String prefix() {
        return layers.equals("h") ? "transformer." : "model.";
    }

    private Optional<String> theirStem(String stem) {
        return stems.entrySet().stream().filter(entry -> entry.getValue().equals(stem)).map(Map.Entry::getKey).findFirst();
    }

    private Optional<String> stem(String theirs, boolean ofLayer) {
        return Optional.ofNullable(stems.get(theirs)).filter(stem -> ofLayer != OUTSIDE_LAYERS.contains(stem));
    }

    private static final Set<String> OUTSIDE_LAYERS = Set.of("token_embd", "position_embd", "output_norm", "output");
}

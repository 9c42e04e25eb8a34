package dev.tidestream.server.huggingface;

import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;

/** Configurations of LLaMA and of the families that have its keys: sizes, rotation, windows. */
final class LlamaConfigs {
    static final String LAYER_TYPES = "layer_types";
    static final String WINDOW = "sliding_window";
    static final String WINDOWED = "sliding_attention";
    static final String GLOBAL = "full_attention";
    private static final String LAYERS = "num_hidden_layers";
    private static final String CONTEXT = "max_position_embeddings";
    private static final String ACTIVATION = "hidden_act";
    private static final String SILU = "silu";
    private static final String ATTENTION_BIAS = "attention_bias";
    private static final String BIASES = "biases of attention";
    private static final int NOPE_INTERVAL = 4;

    private LlamaConfigs() {}

    /** Sizes, which all of them have. */
    static void sizes(ConfigObject config, GgufKeys keys, int defaultHeads, int defaultKvHeads) {
        int hidden = config.integer("hidden_size");
        int heads = defaultHeads == 0 ? config.integer("num_attention_heads") : config.findInteger("num_attention_heads").orElse(defaultHeads);
        keys.put("context_length", config.integer(CONTEXT));
        keys.put("embedding_length", hidden);
        keys.put("block_count", config.integer(LAYERS));
        keys.put("feed_forward_length", config.integer("intermediate_size"));
        keys.put("attention.head_count", heads);
        keys.put("attention.head_count_kv", config.findInteger("num_key_value_heads").orElse(defaultKvHeads == 0 ? heads : defaultKvHeads));
        keys.put("attention.layer_norm_rms_epsilon", config.findNumber("rms_norm_eps").orElse(1e-6));
        config.findInteger("vocab_size").ifPresent(rows -> keys.put("vocab_size", rows));
    }

    /** Elements of a head, which is {@code fallback} where nothing is said; 0 for the hidden size's share. */
    static int headDim(ConfigObject config, GgufKeys keys, int fallback) {
        int heads = config.findInteger("num_attention_heads").orElse(1);
        int headDim = config.findInteger("head_dim").orElse(fallback == 0 ? config.integer("hidden_size") / Math.max(heads, 1) : fallback);
        keys.put("attention.key_length", headDim);
        keys.put("attention.value_length", headDim);
        return headDim;
    }

    private static void common(ConfigObject config, GgufKeys keys) {
        sizes(config, keys, 0, 0);
        int headDim = headDim(config, keys, 0);
        RopeConfig.translate(config, keys, headDim, config.integer(CONTEXT));
    }

    private static void requireSilu(ConfigObject config) {
        String function = config.findText(ACTIVATION).orElse(SILU);
        if (!function.equals(SILU) && !function.equals("swish")) {
            throw config.refused(ACTIVATION, "is not supported (supported: silu)");
        }
    }

    static void llama(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.requireFalse("mlp_bias", "biases of the feed-forward part");
        config.requireFalse("rope_interleaved", "another order of rows of queries and keys");
    }

    static void mistral(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.findInteger(WINDOW).ifPresent(window -> keys.put("attention.sliding_window", window));
        layerTypes(config).ifPresent(types -> {
            if (types.contains(GLOBAL) && config.has(WINDOW)) {
                throw config.refused(LAYER_TYPES, "is not supported: layers with and without a window");
            }
        });
    }

    /** Qwen 2 and 3: a window only if it is asked for, and then only in layers from a number on. */
    static void qwen(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES); // those of Qwen 2 are not by this key
        config.requireFalse("use_mrope", "positions in several dimensions");
        windowOfLayers(config, keys, config.bool("use_sliding_window", false));
    }

    private static void windowOfLayers(ConfigObject config, GgufKeys keys, boolean asked) {
        int layers = config.integer(LAYERS);
        Optional<Integer> window = config.findInteger(WINDOW).filter(_ -> asked);
        int first = config.findInteger("max_window_layers").orElse(layers);
        Optional<List<String>> types = layerTypes(config);
        long windowed = types.map(all -> all.stream().filter(WINDOWED::equals).count())
                .orElse(window.isPresent() ? (long) Math.max(0, layers - first) : 0);
        if (windowed == 0 || window.map(size -> size >= config.integer(CONTEXT)).orElse(false)) {
            return;
        }
        if (windowed != layers || window.isEmpty()) {
            throw config.refused(types.isPresent() ? LAYER_TYPES : WINDOW,
                    "is not supported: layers with and without a window of %s positions".formatted(window.map(String::valueOf).orElse("unknown")));
        }
        keys.put("attention.sliding_window", window.get());
    }

    /** What each layer sees, if the configuration lists it: one for each layer, and no other kinds. */
    static Optional<List<String>> layerTypes(ConfigObject config) {
        return config.findArray(LAYER_TYPES).map(types -> {
            List<String> names = types.stream().map(JsonNode::asText).toList();
            if (names.size() != config.integer(LAYERS) || names.stream().anyMatch(name -> !name.equals(WINDOWED) && !name.equals(GLOBAL))) {
                throw config.refused(LAYER_TYPES, "is not supported: one of %s, %s for each of %d layers"
                        .formatted(GLOBAL, WINDOWED, config.integer(LAYERS)));
            }
            return names;
        });
    }

    static void smolLm3(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.requireFalse("mlp_bias", "biases of the feed-forward part");
        int interval = config.findInteger("no_rope_layer_interval").orElse(NOPE_INTERVAL);
        Optional<List<JsonNode>> rotated = config.findArray("no_rope_layers"); // 1 for those that are rotated
        if (rotated.isEmpty() && interval != NOPE_INTERVAL) {
            throw config.refused("no_rope_layer_interval", "is not supported: every fourth layer knows no positions");
        }
        rotated.ifPresent(layers -> {
            for (int i = 0; i < layers.size(); i++) {
                if (layers.get(i).asInt() != (i % NOPE_INTERVAL == NOPE_INTERVAL - 1 ? 0 : 1) || layers.size() != config.integer(LAYERS)) {
                    throw config.refused("no_rope_layers", "is not supported: every fourth layer knows no positions");
                }
            }
        });
        windowOfLayers(config, keys, config.bool("use_sliding_window", false));
    }

    static void phi3(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.findInteger(WINDOW).ifPresent(window -> keys.put("attention.sliding_window", window));
        config.findInteger("original_max_position_embeddings"); // of LongRoPE, and without it of no use
        config.requireFalse("mlp_bias", "biases of the feed-forward part");
        config.requireFalse("lm_head_bias", "a bias of the output head");
        for (String key : List.of("full_attn_mod", "interpolate_factor")) {
            if (config.findInteger(key).orElse(1) != 1) {
                throw config.refused(key, "is not supported (supported: 1)");
            }
        }
    }

    /** GGUF's architectures of BitNet differ in the activation function. */
    static String bitNetArchitecture(ConfigObject config) {
        String function = config.findText(ACTIVATION).orElse("relu2");
        return switch (function) {
            case "relu2" -> "bitnet-b1.58";
            case SILU -> "bitnet";
            default -> throw config.refused(ACTIVATION, "is not supported (supported: relu2, silu)");
        };
    }

    static void bitNet(ConfigObject config, GgufKeys keys) {
        common(config, keys);
        config.requireFalse(ATTENTION_BIAS, BIASES);
    }
}

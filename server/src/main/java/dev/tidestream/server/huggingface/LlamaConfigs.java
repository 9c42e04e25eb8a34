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
    private static final String GGUF_WINDOW = "attention.sliding_window";
    private static final String ACTIVATION = "hidden_act";
    private static final String SILU = "silu";
    private static final String ATTENTION_BIAS = "attention_bias";
    private static final String BIASES = "biases of attention";
    private static final int NOPE_INTERVAL = 4;
    private static final int DEFAULT_WINDOW = 4096; // of Mistral and Qwen
    private static final int DEFAULT_FIRST_WINDOWED = 28; // of Qwen

    private LlamaConfigs() {}

    private static void common(ConfigObject config, GgufKeys keys, ConfigDefaults defaults) {
        defaults.sizes(config, keys);
        RopeConfig.translate(config, keys, defaults);
    }

    private static void requireSilu(ConfigObject config) {
        String function = config.findText(ACTIVATION).orElse(SILU);
        if (!function.equals(SILU) && !function.equals("swish")) {
            throw config.refused(ACTIVATION, "is not supported (supported: silu)");
        }
    }

    static void llama(ConfigObject config, GgufKeys keys) {
        common(config, keys, ConfigDefaults.LLAMA);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.requireFalse("mlp_bias", "biases of the feed-forward part");
        config.requireFalse("rope_interleaved", "another order of rows of queries and keys");
    }

    /** A window in all layers, unless it is null. */
    static void mistral(ConfigObject config, GgufKeys keys) {
        common(config, keys, ConfigDefaults.MISTRAL);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        if (!config.isNull(WINDOW)) {
            keys.put(GGUF_WINDOW, config.findInteger(WINDOW).orElse(DEFAULT_WINDOW));
        }
        layerTypes(config, ConfigDefaults.MISTRAL).ifPresent(types -> {
            if (types.contains(config.isNull(WINDOW) ? WINDOWED : GLOBAL)) {
                throw config.refused(LAYER_TYPES, "is not supported: %s=%s is of all layers".formatted(WINDOW,
                        config.isNull(WINDOW) ? "null" : config.findInteger(WINDOW).orElse(DEFAULT_WINDOW)));
            }
        });
    }

    static void qwen2(ConfigObject config, GgufKeys keys) {
        qwen(config, keys, ConfigDefaults.QWEN2);
    }

    static void qwen3(ConfigObject config, GgufKeys keys) {
        qwen(config, keys, ConfigDefaults.QWEN3);
    }

    /** A window only if it is asked for, and then only in layers from a number on. */
    private static void qwen(ConfigObject config, GgufKeys keys, ConfigDefaults defaults) {
        common(config, keys, defaults);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES); // those of Qwen 2 are not by this key
        config.requireFalse("use_mrope", "positions in several dimensions");
        int first = config.findInteger("max_window_layers").orElse(DEFAULT_FIRST_WINDOWED);
        windowOfLayers(config, keys, defaults, config.isNull(WINDOW) ? Optional.empty()
                : Optional.of(config.findInteger(WINDOW).orElse(DEFAULT_WINDOW)), Math.max(0, defaults.layers(config) - first));
    }

    /**
     * A window of some layers: all of them have it, or it makes no difference, or it is refused.
     *
     * @param window as the configuration has it; counts with {@code use_sliding_window} only
     * @param usual how many layers have it where no list says so
     */
    private static void windowOfLayers(
            ConfigObject config, GgufKeys keys, ConfigDefaults defaults, Optional<Integer> window, int usual) {
        boolean used = config.bool("use_sliding_window", false) && window.isPresent();
        int layers = defaults.layers(config);
        Optional<List<String>> types = layerTypes(config, defaults);
        long windowed = types.map(all -> all.stream().filter(WINDOWED::equals).count()).orElse(used ? (long) usual : 0L);
        if (windowed == 0 || (used && window.get() >= defaults.context(config))) {
            return;
        }
        if (windowed != layers || !used) {
            String size = used ? String.valueOf(window.get()) : "unknown";
            throw config.refused(types.isPresent() ? LAYER_TYPES : config.has(WINDOW) ? WINDOW : "use_sliding_window",
                    "is not supported: layers with and without a window of %s positions".formatted(size));
        }
        keys.put(GGUF_WINDOW, window.get());
    }

    /** What each layer sees, if the configuration lists it: one for each layer, and no other kinds. */
    static Optional<List<String>> layerTypes(ConfigObject config, ConfigDefaults defaults) {
        int layers = defaults.layers(config);
        return config.findArray(LAYER_TYPES).map(types -> {
            List<String> names = types.stream().map(JsonNode::asText).toList();
            if (names.size() != layers || names.stream().anyMatch(name -> !name.equals(WINDOWED) && !name.equals(GLOBAL))) {
                throw config.refused(LAYER_TYPES, "is not supported: one of %s, %s for each of %d layers"
                        .formatted(GLOBAL, WINDOWED, layers));
            }
            return names;
        });
    }

    /** Layers that know no positions are those that have the window, if it is asked for. */
    static void smolLm3(ConfigObject config, GgufKeys keys) {
        ConfigDefaults defaults = ConfigDefaults.SMOLLM3;
        common(config, keys, defaults);
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
                int expected = i % NOPE_INTERVAL == NOPE_INTERVAL - 1 ? 0 : 1;
                if (layers.get(i).asInt() != expected || layers.size() != defaults.layers(config)) {
                    throw config.refused("no_rope_layers", "is not supported: every fourth layer knows no positions");
                }
            }
        });
        windowOfLayers(config, keys, defaults, config.findInteger(WINDOW), defaults.layers(config) / NOPE_INTERVAL);
    }

    static void phi3(ConfigObject config, GgufKeys keys) {
        common(config, keys, ConfigDefaults.PHI3);
        requireSilu(config);
        config.requireFalse(ATTENTION_BIAS, BIASES);
        config.findInteger(WINDOW).ifPresent(window -> keys.put(GGUF_WINDOW, window));
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
        common(config, keys, ConfigDefaults.BITNET);
        config.requireFalse(ATTENTION_BIAS, BIASES);
    }
}

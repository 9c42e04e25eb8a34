package dev.tidestream.server.huggingface;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Configurations of Gemma 1, 2 and 3, text only. What a configuration leaves out has the value of transformers' class. */
final class GemmaConfigs {
    private static final String ACTIVATION = "hidden_activation";
    private static final String OLD_ACTIVATION = "hidden_act";
    private static final String GELU_TANH = "gelu_pytorch_tanh";
    private static final double SCALAR = 256;

    private GemmaConfigs() {}

    static void gemma(ConfigObject config, GgufKeys keys) {
        ConfigDefaults.GEMMA.sizes(config, keys);
        RopeConfig.translate(config, keys, ConfigDefaults.GEMMA);
        Optional<String> function = config.findText(ACTIVATION);
        String old = config.findText(OLD_ACTIVATION).orElse(GELU_TANH); // files of the first days have gelu, and mean the other
        if (!function.orElse(GELU_TANH).equals(GELU_TANH) || !(old.equals(GELU_TANH) || old.equals("gelu"))) {
            throw config.refused(function.isPresent() ? ACTIVATION : OLD_ACTIVATION,
                    "is not supported (supported: %s)".formatted(GELU_TANH));
        }
        attention(config);
    }

    static void gemma2(ConfigObject config, GgufKeys keys) {
        twoAndThree(config, keys, ConfigDefaults.GEMMA2, 2);
        RopeConfig.translate(config, keys, ConfigDefaults.GEMMA2);
        keys.put("attn_logit_softcapping", cap(config, "attn_logit_softcapping", 50));
        keys.put("final_logit_softcapping", cap(config, "final_logit_softcapping", 30));
    }

    static void gemma3(ConfigObject config, GgufKeys keys) {
        twoAndThree(config, keys, ConfigDefaults.GEMMA3, 6);
        RopeConfig.translateLocalAndGlobal(config, keys, ConfigDefaults.GEMMA3);
        keys.put("attn_logit_softcapping", cap(config, "attn_logit_softcapping", 0));
        keys.put("final_logit_softcapping", cap(config, "final_logit_softcapping", 0));
    }

    /** A null is no cap; a missing key is the class's. */
    private static double cap(ConfigObject config, String key, double fallback) {
        return config.findNumber(key).orElse(config.isNull(key) ? 0 : fallback);
    }

    private static void twoAndThree(ConfigObject config, GgufKeys keys, ConfigDefaults defaults, int usualPattern) {
        defaults.sizes(config, keys);
        attention(config);
        for (String key : List.of(ACTIVATION, OLD_ACTIVATION)) {
            if (!config.findText(key).orElse(GELU_TANH).equals(GELU_TANH)) {
                throw config.refused(key, "is not supported (supported: %s)".formatted(GELU_TANH));
            }
        }
        keys.put("attention.scale", 1 / Math.sqrt(config.findNumber("query_pre_attn_scalar").orElse(SCALAR)));
        if (config.isNull(LlamaConfigs.WINDOW)) {
            throw config.refused(LlamaConfigs.WINDOW, "is not supported: this family has layers with a window");
        }
        keys.put("attention.sliding_window", config.findInteger(LlamaConfigs.WINDOW).orElse(4096));
        keys.put("attention.sliding_window_pattern", pattern(config, defaults, usualPattern));
    }

    /** Every so many layers, the last of them sees everything; more than there are for none. */
    private static int pattern(ConfigObject config, ConfigDefaults defaults, int usual) {
        Optional<Integer> old = config.findInteger("sliding_window_pattern");
        int pattern = config.findInteger("_sliding_window_pattern").or(() -> old).orElse(usual);
        Optional<List<String>> types = LlamaConfigs.layerTypes(config, defaults);
        if (types.isEmpty()) {
            return pattern;
        }
        int first = types.get().indexOf(LlamaConfigs.GLOBAL);
        int listed = first >= 0 ? first + 1 : types.get().size() + 1;
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < types.get().size(); i++) {
            expected.add(i % listed < listed - 1 ? LlamaConfigs.WINDOWED : LlamaConfigs.GLOBAL);
        }
        if (!expected.equals(types.get())) {
            throw config.refused(LlamaConfigs.LAYER_TYPES,
                    "is not supported: not the same number of layers with a window between those without");
        }
        return listed;
    }

    private static void attention(ConfigObject config) {
        config.requireFalse("attention_bias", "biases of attention");
        config.requireFalse("use_bidirectional_attention", "attention to later tokens");
    }
}

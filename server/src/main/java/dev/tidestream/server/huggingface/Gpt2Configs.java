package dev.tidestream.server.huggingface;

import java.util.Set;

/** Configurations of GPT-2. */
final class Gpt2Configs {
    /** Names of one function, by different ways to compute it. */
    private static final Set<String> GELU_TANH = Set.of("gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_accurate");
    private static final int WIDENING = 4;

    /** What {@code GPT2Config} of transformers means where a configuration says nothing. */
    private static final int HIDDEN = 768;
    private static final int LAYERS = 12;
    private static final int HEADS = 12;
    private static final int CONTEXT = 1024;

    private Gpt2Configs() {}

    static void gpt2(ConfigObject config, GgufKeys keys) {
        int hidden = config.findInteger("n_embd").orElse(HIDDEN);
        keys.put("context_length", config.findInteger("n_positions").or(() -> config.findInteger("n_ctx")).orElse(CONTEXT));
        config.findInteger("n_ctx");
        keys.put("embedding_length", hidden);
        keys.put("block_count", config.findInteger("n_layer").orElse(LAYERS));
        keys.put("feed_forward_length", config.findInteger("n_inner").orElse(WIDENING * hidden));
        keys.put("attention.head_count", config.findInteger("n_head").orElse(HEADS));
        keys.put("attention.layer_norm_epsilon", config.findNumber("layer_norm_epsilon").orElse(1e-5));
        config.findInteger("vocab_size").ifPresent(rows -> keys.put("vocab_size", rows));
        if (!GELU_TANH.contains(config.findText("activation_function").orElse("gelu_new"))) {
            throw config.refused("activation_function", "is not supported (supported: gelu_new)");
        }
        config.requireTrue("scale_attn_weights", "scores that are not scaled");
        config.requireFalse("scale_attn_by_inverse_layer_idx", "scores that are scaled by the layer's number");
        config.requireFalse("add_cross_attention", "attention to another model");
    }
}

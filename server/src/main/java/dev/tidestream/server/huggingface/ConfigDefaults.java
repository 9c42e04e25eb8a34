package dev.tidestream.server.huggingface;

/**
 * What a key means that a configuration leaves out: the defaults of a family's class. Source: the configuration classes of
 * transformers 5.18 ({@code LlamaConfig} and its kin). A size that does not go with the tensors is refused when they are looked at.
 *
 * @param hidden of {@code hidden_size}
 * @param feedForward of {@code intermediate_size}
 * @param layers of {@code num_hidden_layers}
 * @param heads of {@code num_attention_heads}
 * @param kvHeads of {@code num_key_value_heads}; 0 for as many as heads, which is also what a null means
 * @param headDim of {@code head_dim}; 0 for the hidden size's share
 * @param context of {@code max_position_embeddings}
 * @param epsilon of {@code rms_norm_eps}
 * @param theta of {@code rope_theta}
 */
record ConfigDefaults(
        int hidden, int feedForward, int layers, int heads, int kvHeads, int headDim, int context, double epsilon, double theta) {
    private static final double EPS_5 = 1e-5;
    private static final double EPS_6 = 1e-6;
    private static final double THETA = 10_000;

    static final ConfigDefaults LLAMA = new ConfigDefaults(4096, 11_008, 32, 32, 0, 0, 2048, EPS_6, THETA);
    static final ConfigDefaults MISTRAL = new ConfigDefaults(4096, 14_336, 32, 32, 8, 0, 131_072, EPS_6, THETA);
    static final ConfigDefaults QWEN2 = new ConfigDefaults(4096, 22_016, 32, 32, 32, 0, 32_768, EPS_6, THETA);
    static final ConfigDefaults QWEN3 = new ConfigDefaults(4096, 22_016, 32, 32, 32, 128, 32_768, EPS_6, THETA);
    static final ConfigDefaults SMOLLM3 = new ConfigDefaults(2048, 11_008, 36, 16, 4, 0, 32_768, EPS_6, 2_000_000);
    static final ConfigDefaults PHI3 = new ConfigDefaults(3072, 8192, 32, 32, 0, 0, 4096, EPS_5, THETA);
    static final ConfigDefaults BITNET = new ConfigDefaults(2560, 6912, 30, 20, 5, 0, 2048, EPS_5, 500_000);
    static final ConfigDefaults GEMMA = new ConfigDefaults(3072, 24_576, 28, 16, 16, 256, 8192, EPS_6, THETA);
    static final ConfigDefaults GEMMA2 = new ConfigDefaults(2304, 9216, 26, 8, 4, 256, 8192, EPS_6, THETA);
    static final ConfigDefaults GEMMA3 = new ConfigDefaults(2304, 9216, 26, 8, 4, 256, 131_072, EPS_6, 1_000_000);

    int hidden(ConfigObject config) {
        return config.findInteger("hidden_size").orElse(hidden);
    }

    int layers(ConfigObject config) {
        return config.findInteger("num_hidden_layers").orElse(layers);
    }

    int context(ConfigObject config) {
        return config.findInteger("max_position_embeddings").orElse(context);
    }

    private int heads(ConfigObject config) {
        return config.findInteger("num_attention_heads").orElse(heads);
    }

    /** Elements of a head. */
    int headDim(ConfigObject config) {
        int share = hidden(config) / Math.max(heads(config), 1);
        return config.findInteger("head_dim").orElse(headDim == 0 ? share : headDim);
    }

    /** Sizes and the norm's constant. */
    void sizes(ConfigObject config, GgufKeys keys) {
        keys.put("context_length", context(config));
        keys.put("embedding_length", hidden(config));
        keys.put("block_count", layers(config));
        keys.put("feed_forward_length", config.findInteger("intermediate_size").orElse(feedForward));
        keys.put("attention.head_count", heads(config));
        boolean asHeads = kvHeads == 0 || config.isNull("num_key_value_heads");
        keys.put("attention.head_count_kv", config.findInteger("num_key_value_heads").orElse(asHeads ? heads(config) : kvHeads));
        keys.put("attention.key_length", headDim(config));
        keys.put("attention.value_length", headDim(config));
        keys.put("attention.layer_norm_rms_epsilon", config.findNumber("rms_norm_eps").orElse(epsilon));
        config.findInteger("vocab_size").ifPresent(rows -> keys.put("vocab_size", rows));
    }
}

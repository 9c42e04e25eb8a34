package dev.tidestream.model.tuning;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** A linear layer of each block that may have an adapter. */
public enum Target {
    Q_PROJ("attn_q", "self_attn"),
    K_PROJ("attn_k", "self_attn"),
    V_PROJ("attn_v", "self_attn"),
    O_PROJ("attn_output", "self_attn"),
    GATE_PROJ("ffn_gate", "mlp"),
    UP_PROJ("ffn_up", "mlp"),
    DOWN_PROJ("ffn_down", "mlp");

    private final String gguf;
    private final String part;

    Target(String gguf, String part) {
        this.gguf = gguf;
        this.part = part;
    }

    /** The name that people write, e.g. {@code q_proj}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The tensor of a layer, by its GGUF name. */
    public String tensor(int layer) {
        return "blk.%d.%s.weight".formatted(layer, gguf);
    }

    /** The module of a layer, by its name in Hugging Face's models. */
    public String module(int layer) {
        return "model.layers.%d.%s.%s".formatted(layer, part, word());
    }

    /** All words, for messages. */
    public static String words() {
        return Arrays.stream(values()).map(Target::word).collect(Collectors.joining(", "));
    }
}

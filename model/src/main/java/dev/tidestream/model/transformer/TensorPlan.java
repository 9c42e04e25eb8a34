package dev.tidestream.model.transformer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Names and shapes of the tensors that a LLaMA model is made of, as GGUF files have them. */
final class TensorPlan {
    static final String EMBEDDING = "token_embd.weight";
    static final String OUTPUT = "output.weight";
    static final String OUTPUT_NORM = "output_norm.weight";
    static final String ROPE_FACTORS = "rope_freqs.weight";

    private TensorPlan() {}

    /** The common beginning of the names of a layer's tensors. */
    static String layer(int layer) {
        return "blk." + layer + ".";
    }

    /** All tensors in the order of their use: name to shape, {@code (rows, columns)} or {@code (n)}. */
    static SequencedMap<String, List<Long>> of(ModelConfig config, boolean ropeFactors) {
        SequencedMap<String, List<Long>> plan = new LinkedHashMap<>();
        long hidden = config.hiddenSize();
        plan.put(EMBEDDING, List.of((long) config.vocabularySize(), hidden));
        for (int i = 0; i < config.layers(); i++) {
            String prefix = layer(i);
            plan.put(prefix + "attn_norm.weight", List.of(hidden));
            plan.put(prefix + "attn_q.weight", List.of((long) config.queryDim(), hidden));
            plan.put(prefix + "attn_k.weight", List.of((long) config.kvDim(), hidden));
            plan.put(prefix + "attn_v.weight", List.of((long) config.kvDim(), hidden));
            plan.put(prefix + "attn_output.weight", List.of(hidden, (long) config.queryDim()));
            plan.put(prefix + "ffn_norm.weight", List.of(hidden));
            plan.put(prefix + "ffn_gate.weight", List.of((long) config.feedForwardSize(), hidden));
            plan.put(prefix + "ffn_up.weight", List.of((long) config.feedForwardSize(), hidden));
            plan.put(prefix + "ffn_down.weight", List.of(hidden, (long) config.feedForwardSize()));
        }
        plan.put(OUTPUT_NORM, List.of(hidden));
        if (ropeFactors) {
            plan.put(ROPE_FACTORS, List.of(config.ropeDim() / 2L));
        }
        if (!config.tied()) {
            plan.put(OUTPUT, List.of((long) config.vocabularySize(), hidden));
        }
        return plan;
    }
}

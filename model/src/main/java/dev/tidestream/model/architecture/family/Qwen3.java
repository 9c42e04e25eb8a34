package dev.tidestream.model.architecture.family;

import java.util.Set;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.gguf.ModelSource;

import static dev.tidestream.model.architecture.TensorRole.KEY_NORM;
import static dev.tidestream.model.architecture.TensorRole.QUERY_NORM;

/**
 * Qwen 3 (Yang et al. 2025), dense: each head of queries and keys is normed, rotation in halves; the size of a head is a number of its
 * own.
 */
final class Qwen3 implements Architecture {
    private static final TensorNames NAMES = LlamaFamily.NAMES
            .with(QUERY_NORM, "blk.%d.attn_q_norm")
            .with(KEY_NORM, "blk.%d.attn_k_norm");

    @Override
    public String name() {
        return "qwen3";
    }

    @Override
    public Set<String> keys() {
        return LlamaFamily.KEYS;
    }

    @Override
    public Blueprint read(ModelSource file) {
        return LlamaFamily.read(file, this, Rotation.Pairing.HALVES, AttentionPlan::withQueryKeyNorm);
    }

    @Override
    public TensorNames names() {
        return NAMES;
    }
}

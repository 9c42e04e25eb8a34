package dev.tidestream.model.architecture;

import java.util.Collections;
import java.util.function.BiFunction;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.tensor.ActivationFunction;

import static dev.tidestream.model.architecture.TensorRole.ATTENTION_NORM;
import static dev.tidestream.model.architecture.TensorRole.ATTENTION_OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.DOWN;
import static dev.tidestream.model.architecture.TensorRole.EMBEDDING;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_NORM;
import static dev.tidestream.model.architecture.TensorRole.GATE;
import static dev.tidestream.model.architecture.TensorRole.KEY;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT_NORM;
import static dev.tidestream.model.architecture.TensorRole.QUERY;
import static dev.tidestream.model.architecture.TensorRole.ROTATION_FACTORS;
import static dev.tidestream.model.architecture.TensorRole.UP;
import static dev.tidestream.model.architecture.TensorRole.VALUE;

/**
 * What LLaMA (Touvron et al. 2023) and its descendants have in common: RMS norms, rotary positions, grouped queries, a feed-forward
 * part gated with SiLU, equal layers.
 */
final class LlamaFamily {
    /** GGUF names. */
    static final TensorNames NAMES = TensorNames.NONE
            .with(EMBEDDING, "token_embd")
            .with(ATTENTION_NORM, "blk.%d.attn_norm")
            .with(QUERY, "blk.%d.attn_q")
            .with(KEY, "blk.%d.attn_k")
            .with(VALUE, "blk.%d.attn_v")
            .with(ATTENTION_OUTPUT, "blk.%d.attn_output")
            .with(FEED_FORWARD_NORM, "blk.%d.ffn_norm")
            .with(GATE, "blk.%d.ffn_gate")
            .with(UP, "blk.%d.ffn_up")
            .with(DOWN, "blk.%d.ffn_down")
            .with(OUTPUT_NORM, "output_norm")
            .with(ROTATION_FACTORS, "rope_freqs")
            .with(OUTPUT, "output");

    private static final float DEFAULT_THETA = 10_000f;

    private LlamaFamily() {}

    /**
     * Reads the keys that all of them have.
     *
     * @param pairing how they are rotated
     * @param attention what is different in attention, given that and the norm of the layers
     */
    static Blueprint read(
            GgufFile file, Architecture architecture, Rotation.Pairing pairing,
            BiFunction<AttentionPlan, NormSpec, AttentionPlan> attention) {
        GgufKeys keys = new GgufKeys(file, architecture.name());
        int experts = keys.findInteger("expert_count").orElse(0);
        if (experts > 0) {
            throw keys.unsupported("expert_count", experts, "mixture of experts is not supported");
        }
        NormSpec norm = new NormSpec.Rms(keys.float32("attention.layer_norm_rms_epsilon"));
        LayerPlan layer = new LayerPlan(norm, attention.apply(attention(keys, pairing, architecture.names()), norm),
                FeedForwardPlan.gated(keys.integer("feed_forward_length"), ActivationFunction.SILU));
        return new Blueprint(
                architecture.name(),
                keys.modelName(),
                keys.rows(architecture.names().weight(EMBEDDING)),
                keys.integer("embedding_length"),
                keys.integer("context_length"),
                0,
                1,
                Collections.nCopies(keys.layers(), layer),
                norm,
                !keys.hasTensor(architecture.names().weight(OUTPUT)),
                0);
    }

    private static AttentionPlan attention(GgufKeys keys, Rotation.Pairing pairing, TensorNames names) {
        int hiddenSize = keys.integer("embedding_length");
        int heads = keys.integer("attention.head_count");
        if (hiddenSize < 1 || heads < 1) {
            throw new ModelException("%s=%d, %s=%d: both must be at least 1".formatted(
                    keys.name("embedding_length"), hiddenSize, keys.name("attention.head_count"), heads));
        }
        int headDim = keys.findInteger("attention.key_length").orElse(hiddenSize / heads);
        int valueDim = keys.findInteger("attention.value_length").orElse(headDim);
        if (valueDim != headDim) {
            throw new ModelException("keys and values of different length are not supported: key_length=%d, value_length=%d"
                    .formatted(headDim, valueDim));
        }
        Rotation rotation = new Rotation(
                pairing,
                keys.findInteger("rope.dimension_count").orElse(headDim),
                keys.findFloat32("rope.freq_base").orElse(DEFAULT_THETA),
                RopeScaling.positionScale(keys),
                keys.hasTensor(names.weight(ROTATION_FACTORS)));
        return AttentionPlan.of(heads, keys.findInteger("attention.head_count_kv").orElse(heads), headDim, rotation);
    }
}

package dev.tidestream.model.architecture.family;

import java.util.Collections;
import java.util.Set;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.ActivationFunction;

import static dev.tidestream.model.architecture.TensorRole.GATE_UP;
import static dev.tidestream.model.architecture.TensorRole.QUERY_KEY_VALUE;
import static dev.tidestream.model.architecture.TensorRole.ROTATION_FACTORS_LONG;
import static dev.tidestream.model.architecture.TensorRole.ROTATION_FACTORS_SHORT;

/**
 * Phi 3, 3.5 and 4 (Abdin et al. 2024): one matrix for queries, keys and values, one for gate and values, rotation in halves, LongRoPE
 * in those with a long context.
 */
final class Phi3 implements Architecture {
    private static final TensorNames NAMES = LlamaFamily.NAMES
            .with(QUERY_KEY_VALUE, "blk.%d.attn_qkv")
            .with(GATE_UP, "blk.%d.ffn_up")
            .with(ROTATION_FACTORS_LONG, "rope_factors_long")
            .with(ROTATION_FACTORS_SHORT, "rope_factors_short");

    @Override
    public String name() {
        return "phi3";
    }

    @Override
    public Set<String> keys() {
        return LlamaFamily.KEYS;
    }

    @Override
    public TensorNames names() {
        return NAMES;
    }

    @Override
    public Blueprint read(ModelSource file) {
        ModelMetadata metadata = new ModelMetadata(file, name());
        NormSpec norm = LlamaFamily.norm(metadata);
        AttentionPlan attention = LlamaFamily.attention(metadata, Rotation.Pairing.HALVES, NAMES).withFusedMatrix();
        LayerPlan layer = new LayerPlan(norm, attention, LlamaFamily.feedForward(metadata, ActivationFunction.SILU).withFusedMatrix());
        return LlamaFamily.blueprint(metadata, this, Collections.nCopies(metadata.layers(), layer));
    }
}

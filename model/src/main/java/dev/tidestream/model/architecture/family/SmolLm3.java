package dev.tidestream.model.architecture.family;

import java.util.ArrayList;
import java.util.List;
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

/** SmolLM 3 (Bakouch et al. 2025): LLaMA, but every fourth layer knows no positions (NoPE, Yang et al. 2025). */
final class SmolLm3 implements Architecture {
    private static final int ROTATED_IN_A_ROW = 3;

    @Override
    public String name() {
        return "smollm3";
    }

    @Override
    public Set<String> keys() {
        return LlamaFamily.KEYS;
    }

    @Override
    public TensorNames names() {
        return LlamaFamily.NAMES;
    }

    @Override
    public Blueprint read(ModelSource file) {
        ModelMetadata metadata = new ModelMetadata(file, name());
        NormSpec norm = LlamaFamily.norm(metadata);
        AttentionPlan rotated = LlamaFamily.attention(metadata, Rotation.Pairing.INTERLEAVED, names());
        List<LayerPlan> layers = new ArrayList<>();
        for (int layer = 0; layer < metadata.layers(); layer++) {
            boolean rotates = layer % (ROTATED_IN_A_ROW + 1) < ROTATED_IN_A_ROW;
            layers.add(new LayerPlan(norm, rotates ? rotated : rotated.withRotation(Rotation.NONE),
                    LlamaFamily.feedForward(metadata, ActivationFunction.SILU)));
        }
        return LlamaFamily.blueprint(metadata, this, layers);
    }
}

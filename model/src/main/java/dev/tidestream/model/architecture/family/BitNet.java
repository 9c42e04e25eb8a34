package dev.tidestream.model.architecture.family;

import java.util.Collections;
import java.util.Set;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.ActivationFunction;

import static dev.tidestream.model.architecture.TensorRole.ATTENTION_INNER_NORM;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_INNER_NORM;

/**
 * BitNet b1.58 (Ma et al. 2024, 2025): LLaMA with a norm before the last matrix of each part, and rotation in halves. No key says which
 * activation function a file has: its architecture's name does. That weights are ternary, and activations int8 with a scale for each
 * token, is a matter of formats, not of this.
 */
final class BitNet implements Architecture {
    private static final TensorNames NAMES = LlamaFamily.NAMES
            .with(ATTENTION_INNER_NORM, "blk.%d.attn_sub_norm")
            .with(FEED_FORWARD_INNER_NORM, "blk.%d.ffn_sub_norm");

    private final Generation generation;

    /** What differs between them. */
    enum Generation {
        /** The reproductions of 2024, and all that llama.cpp writes and reads by this name. */
        REPRODUCTION("bitnet", ActivationFunction.SILU),
        /** Microsoft's 2B-4T as it was uploaded first. */
        FIRST_UPLOAD("bitnet-25", ActivationFunction.RELU_SQUARED),
        /** Microsoft's 2B-4T. */
        RELEASE("bitnet-b1.58", ActivationFunction.RELU_SQUARED);

        private final String wireName;
        private final ActivationFunction function;

        Generation(String wireName, ActivationFunction function) {
            this.wireName = wireName;
            this.function = function;
        }
    }

    BitNet(Generation generation) {
        this.generation = generation;
    }

    @Override
    public String name() {
        return generation.wireName;
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
        AttentionPlan attention = LlamaFamily.attention(metadata, Rotation.Pairing.HALVES, NAMES).withInnerNorm(norm);
        FeedForwardPlan feedForward = LlamaFamily.feedForward(metadata, generation.function).withInnerNorm(norm);
        LayerPlan layer = new LayerPlan(norm, attention, feedForward);
        return LlamaFamily.blueprint(metadata, this, Collections.nCopies(metadata.layers(), layer));
    }
}

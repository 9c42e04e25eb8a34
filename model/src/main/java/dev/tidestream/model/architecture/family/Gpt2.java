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

import static dev.tidestream.model.architecture.TensorRole.ATTENTION_NORM;
import static dev.tidestream.model.architecture.TensorRole.ATTENTION_OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.DOWN;
import static dev.tidestream.model.architecture.TensorRole.EMBEDDING;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_NORM;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT_NORM;
import static dev.tidestream.model.architecture.TensorRole.POSITIONS;
import static dev.tidestream.model.architecture.TensorRole.QUERY_KEY_VALUE;
import static dev.tidestream.model.architecture.TensorRole.UP;

/**
 * GPT-2 (Radford et al. 2019): learned positions, layer norms, one matrix for queries, keys and values, a feed-forward part without a
 * gate, and biases everywhere.
 */
final class Gpt2 implements Architecture {
    private static final TensorNames NAMES = TensorNames.NONE
            .with(EMBEDDING, "token_embd")
            .with(POSITIONS, "position_embd")
            .with(ATTENTION_NORM, "blk.%d.attn_norm")
            .with(QUERY_KEY_VALUE, "blk.%d.attn_qkv")
            .with(ATTENTION_OUTPUT, "blk.%d.attn_output")
            .with(FEED_FORWARD_NORM, "blk.%d.ffn_norm")
            .with(UP, "blk.%d.ffn_up")
            .with(DOWN, "blk.%d.ffn_down")
            .with(OUTPUT_NORM, "output_norm")
            .with(OUTPUT, "output");

    @Override
    public String name() {
        return "gpt2";
    }

    @Override
    public Set<String> keys() {
        return Set.of("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
                "attention.layer_norm_epsilon");
    }

    @Override
    public Blueprint read(ModelSource file) {
        ModelMetadata metadata = new ModelMetadata(file, name());
        int hiddenSize = metadata.count("embedding_length", Integer.MAX_VALUE);
        int heads = metadata.count("attention.head_count", hiddenSize);
        if (hiddenSize % heads != 0) {
            throw metadata.refused("attention.head_count", heads,
                    "does not divide %s=%d".formatted(metadata.key("embedding_length"), hiddenSize));
        }
        int contextLength = metadata.contextLength();
        int positions = metadata.rows(NAMES.weight(POSITIONS));
        if (positions < contextLength) {
            throw metadata.refused("context_length", contextLength,
                    "is more than the %d positions of %s".formatted(positions, NAMES.weight(POSITIONS)));
        }
        NormSpec norm = new NormSpec.Layer(metadata.positive("attention.layer_norm_epsilon"), true);
        AttentionPlan attention = AttentionPlan.of(heads, heads, hiddenSize / heads, Rotation.NONE)
                .withFusedMatrix().withBias().withOutputBias();
        LayerPlan layer = new LayerPlan(norm, attention,
                FeedForwardPlan.plain(metadata.count("feed_forward_length", Integer.MAX_VALUE), ActivationFunction.GELU_TANH));
        return new Blueprint(
                name(),
                metadata.modelName(),
                metadata.rows(NAMES.weight(EMBEDDING)),
                hiddenSize,
                contextLength,
                positions,
                1,
                Collections.nCopies(metadata.layers(), layer),
                norm,
                !metadata.hasTensor(NAMES.weight(OUTPUT)),
                0);
    }

    @Override
    public TensorNames names() {
        return NAMES;
    }
}

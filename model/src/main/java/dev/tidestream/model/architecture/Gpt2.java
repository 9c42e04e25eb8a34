package dev.tidestream.model.architecture;

import java.util.Collections;

import dev.tidestream.model.gguf.GgufFile;
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
    public Blueprint read(GgufFile file) {
        GgufKeys keys = new GgufKeys(file, name());
        int hiddenSize = keys.integer("embedding_length");
        int heads = keys.integer("attention.head_count");
        if (hiddenSize < 1 || heads < 1 || hiddenSize % heads != 0) {
            throw new ModelException("heads must divide the hidden size: %s=%d, %s=%d".formatted(
                    keys.name("embedding_length"), hiddenSize, keys.name("attention.head_count"), heads));
        }
        NormSpec norm = new NormSpec.Layer(keys.float32("attention.layer_norm_epsilon"), true);
        AttentionPlan attention = AttentionPlan.of(heads, heads, hiddenSize / heads, Rotation.NONE)
                .withFusedMatrix().withBias().withOutputBias();
        LayerPlan layer = new LayerPlan(norm, attention,
                FeedForwardPlan.plain(keys.integer("feed_forward_length"), ActivationFunction.GELU_TANH));
        return new Blueprint(
                name(),
                keys.modelName(),
                keys.rows(NAMES.weight(EMBEDDING)),
                hiddenSize,
                keys.integer("context_length"),
                keys.rows(NAMES.weight(POSITIONS)),
                1,
                Collections.nCopies(keys.layers(), layer),
                norm,
                !keys.hasTensor(NAMES.weight(OUTPUT)),
                0);
    }

    @Override
    public TensorNames names() {
        return NAMES;
    }
}

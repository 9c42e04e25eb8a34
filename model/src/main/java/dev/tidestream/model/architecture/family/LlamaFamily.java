package dev.tidestream.model.architecture.family;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

    /** Short names of the keys that are read. */
    static final Set<String> KEYS = Stream.concat(RopeScaling.KEYS.stream(), Stream.of(
            "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
            "attention.head_count_kv", "attention.key_length", "attention.value_length", "attention.layer_norm_rms_epsilon",
            "attention.sliding_window", "rope.freq_base", "rope.dimension_count")).collect(Collectors.toUnmodifiableSet());

    private static final float DEFAULT_THETA = 10_000f;
    private static final int MAX_SIZE = Integer.MAX_VALUE;

    private LlamaFamily() {}

    /**
     * Reads the keys that all of them have.
     *
     * @param pairing how they are rotated
     * @param attention what is different in attention, given that and the norm of the layers
     */
    static Blueprint read(
            ModelSource file, Architecture architecture, Rotation.Pairing pairing,
            BiFunction<AttentionPlan, NormSpec, AttentionPlan> attention) {
        ModelMetadata metadata = new ModelMetadata(file, architecture.name());
        NormSpec norm = norm(metadata);
        LayerPlan layer = new LayerPlan(norm, attention.apply(attention(metadata, pairing, architecture.names()), norm),
                feedForward(metadata, ActivationFunction.SILU));
        return blueprint(metadata, architecture, Collections.nCopies(metadata.layers(), layer));
    }

    /** The norm of all of them. */
    static NormSpec norm(ModelMetadata metadata) {
        return new NormSpec.Rms(metadata.positive("attention.layer_norm_rms_epsilon"));
    }

    /** A gated feed-forward part. */
    static FeedForwardPlan feedForward(ModelMetadata metadata, ActivationFunction function) {
        return FeedForwardPlan.gated(metadata.count("feed_forward_length", MAX_SIZE), function);
    }

    /** Of these layers, with embeddings and logits as they are. */
    static Blueprint blueprint(ModelMetadata metadata, Architecture architecture, List<LayerPlan> layers) {
        return blueprint(metadata, architecture, layers, 1, 0);
    }

    /** Of these layers. */
    static Blueprint blueprint(
            ModelMetadata metadata, Architecture architecture, List<LayerPlan> layers, float embeddingScale, float logitSoftcap) {
        TensorNames names = architecture.names();
        return new Blueprint(
                architecture.name(),
                metadata.modelName(),
                metadata.rows(names.weight(EMBEDDING)),
                metadata.count("embedding_length", MAX_SIZE),
                metadata.contextLength(),
                0,
                embeddingScale,
                layers,
                norm(metadata),
                !metadata.hasTensor(names.weight(OUTPUT)),
                logitSoftcap);
    }

    /** Attention with the window that the metadata have, if any. */
    static AttentionPlan attention(ModelMetadata metadata, Rotation.Pairing pairing, TensorNames names) {
        int hiddenSize = metadata.count("embedding_length", MAX_SIZE);
        int heads = metadata.count("attention.head_count", MAX_SIZE);
        int kvHeads = metadata.count("attention.head_count_kv", heads, MAX_SIZE);
        int headDim = metadata.headDim();
        if (heads % kvHeads != 0) {
            throw metadata.refused("attention.head_count_kv", kvHeads,
                    "does not divide %s=%d".formatted(metadata.key("attention.head_count"), heads));
        }
        if ((long) heads * headDim > MAX_SIZE || headDim % 2 != 0) {
            throw metadata.refused("attention.head_count", heads,
                    "does not fit heads of %d elements (%s, or its share of %s=%d): they must be of an even size".formatted(
                            headDim, metadata.key("attention.key_length"), metadata.key("embedding_length"), hiddenSize));
        }
        if (metadata.count("attention.value_length", headDim, MAX_SIZE) != headDim) {
            throw metadata.refused("attention.value_length", metadata.count("attention.value_length", MAX_SIZE),
                    "is not supported: keys and values of different length (%s=%d)"
                            .formatted(metadata.key("attention.key_length"), headDim));
        }
        int turned = metadata.count("rope.dimension_count", headDim, MAX_SIZE);
        if (turned % 2 != 0 || turned > headDim) {
            throw metadata.refused("rope.dimension_count", turned,
                    "is odd, or more than the %d elements of a head: pairs of them are turned".formatted(headDim));
        }
        Rotation rotation = RopeScaling.rotation(
                metadata, names, pairing, turned, metadata.positive("rope.freq_base", DEFAULT_THETA));
        return AttentionPlan.of(heads, kvHeads, headDim, rotation).withWindow(metadata.window());
    }
}

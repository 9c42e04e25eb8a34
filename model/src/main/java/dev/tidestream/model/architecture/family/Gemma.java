package dev.tidestream.model.architecture.family;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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

import static dev.tidestream.model.architecture.TensorRole.ATTENTION_AFTER_NORM;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_AFTER_NORM;
import static dev.tidestream.model.architecture.TensorRole.KEY_NORM;
import static dev.tidestream.model.architecture.TensorRole.QUERY_NORM;

/**
 * Gemma 1, 2 and 3, text only (Gemma Team 2024, 2024b, 2025): embeddings times the root of the hidden size, GELU gates, rotation in
 * halves. From 2 on, norms on both sides of each part, and layers that see a window between those that see everything; 2 caps scores
 * and logits, 3 norms heads, and rotates local layers with a base of their own. GGUF files have 1 added to the weights of norms.
 */
final class Gemma implements Architecture {
    private static final String WINDOW_PATTERN = "attention.sliding_window_pattern";
    private static final String LOCAL_THETA = "rope.freq_base_swa";
    private static final String SCORE_CAP = "attn_logit_softcapping";
    private static final String LOGIT_CAP = "final_logit_softcapping";
    private static final String SCORE_SCALE = "attention.scale";
    private static final float DEFAULT_LOCAL_THETA = 10_000f;

    private static final TensorNames NAMES_2 = LlamaFamily.NAMES
            .with(ATTENTION_AFTER_NORM, "blk.%d.post_attention_norm")
            .with(FEED_FORWARD_AFTER_NORM, "blk.%d.post_ffw_norm");
    private static final TensorNames NAMES_3 = NAMES_2
            .with(QUERY_NORM, "blk.%d.attn_q_norm")
            .with(KEY_NORM, "blk.%d.attn_k_norm");

    private final Generation generation;

    /** What differs between them. */
    enum Generation {
        ONE("gemma", 1, Integer.MAX_VALUE),
        TWO("gemma2", 2, 46),
        THREE("gemma3", 6, 62);

        private final String wireName;
        private final int windowPattern; // every so many layers, one sees everything
        private final int layersOf27B; // whose scores are scaled by the hidden size per head

        Generation(String wireName, int windowPattern, int layersOf27B) {
            this.wireName = wireName;
            this.windowPattern = windowPattern;
            this.layersOf27B = layersOf27B;
        }
    }

    Gemma(Generation generation) {
        this.generation = generation;
    }

    @Override
    public String name() {
        return generation.wireName;
    }

    @Override
    public Set<String> keys() {
        return Stream.concat(LlamaFamily.KEYS.stream(), switch (generation) {
            case ONE -> Stream.<String>of();
            case TWO -> Stream.of(SCORE_SCALE, SCORE_CAP, LOGIT_CAP, WINDOW_PATTERN);
            case THREE -> Stream.of(SCORE_SCALE, SCORE_CAP, LOGIT_CAP, WINDOW_PATTERN, LOCAL_THETA);
        }).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public TensorNames names() {
        return switch (generation) {
            case ONE -> LlamaFamily.NAMES;
            case TWO -> NAMES_2;
            case THREE -> NAMES_3;
        };
    }

    @Override
    public Blueprint read(ModelSource file) {
        ModelMetadata metadata = new ModelMetadata(file, name());
        int layers = metadata.layers();
        NormSpec norm = LlamaFamily.norm(metadata);
        AttentionPlan global = LlamaFamily.attention(metadata, Rotation.Pairing.HALVES, names())
                .withWindow(0).withScores(scoreScale(metadata, layers), metadata.notNegative(SCORE_CAP));
        AttentionPlan local = global.withWindow(metadata.window());
        if (generation == Generation.THREE) {
            global = global.withQueryKeyNorm(norm);
            local = local.withQueryKeyNorm(norm).withRotation(new Rotation(Rotation.Pairing.HALVES, global.rotation().dimensions(),
                    metadata.positive(LOCAL_THETA, DEFAULT_LOCAL_THETA), 1, false));
        }
        FeedForwardPlan feedForward = LlamaFamily.feedForward(metadata, ActivationFunction.GELU_TANH);
        Optional<NormSpec> after = generation == Generation.ONE ? Optional.empty() : Optional.of(norm);
        int pattern = metadata.count(WINDOW_PATTERN, generation.windowPattern, Integer.MAX_VALUE);
        List<LayerPlan> plans = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            plans.add(new LayerPlan(norm, after, layer % pattern < pattern - 1 ? local : global, feedForward));
        }
        float embeddingScale = (float) Math.sqrt(metadata.count("embedding_length", Integer.MAX_VALUE));
        return LlamaFamily.blueprint(metadata, this, plans, embeddingScale, metadata.notNegative(LOGIT_CAP));
    }

    private float scoreScale(ModelMetadata metadata, int layers) {
        if (metadata.notNegative(SCORE_SCALE) > 0) {
            return metadata.positive(SCORE_SCALE);
        }
        return (float) (1 / Math.sqrt(layers == generation.layersOf27B
                ? metadata.count("embedding_length", Integer.MAX_VALUE) / metadata.count("attention.head_count", Integer.MAX_VALUE)
                : metadata.headDim()));
    }
}

package dev.tidestream.model.architecture;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;

import static dev.tidestream.model.architecture.TensorRole.ATTENTION_AFTER_NORM;
import static dev.tidestream.model.architecture.TensorRole.ATTENTION_INNER_NORM;
import static dev.tidestream.model.architecture.TensorRole.ATTENTION_NORM;
import static dev.tidestream.model.architecture.TensorRole.ATTENTION_OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.DOWN;
import static dev.tidestream.model.architecture.TensorRole.EMBEDDING;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_AFTER_NORM;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_INNER_NORM;
import static dev.tidestream.model.architecture.TensorRole.FEED_FORWARD_NORM;
import static dev.tidestream.model.architecture.TensorRole.GATE;
import static dev.tidestream.model.architecture.TensorRole.GATE_UP;
import static dev.tidestream.model.architecture.TensorRole.KEY;
import static dev.tidestream.model.architecture.TensorRole.KEY_NORM;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT;
import static dev.tidestream.model.architecture.TensorRole.OUTPUT_NORM;
import static dev.tidestream.model.architecture.TensorRole.POSITIONS;
import static dev.tidestream.model.architecture.TensorRole.QUERY;
import static dev.tidestream.model.architecture.TensorRole.QUERY_KEY_VALUE;
import static dev.tidestream.model.architecture.TensorRole.QUERY_NORM;
import static dev.tidestream.model.architecture.TensorRole.UP;
import static dev.tidestream.model.architecture.TensorRole.VALUE;

/** The tensors that a blueprint needs, by the names that a file has for them, with their shapes. Immutable. */
public final class TensorPlan {
    private static final int NO_LAYER = -1;

    private final Blueprint blueprint;
    private final TensorNames names;
    private final SequencedMap<String, Planned> tensors = new LinkedHashMap<>();

    /**
     * A tensor.
     *
     * @param layer whose it is, if it is a layer's
     * @param bias whether it is the bias and not the weight
     * @param shape {@code (rows, columns)} or {@code (n)}
     */
    public record Planned(TensorRole role, OptionalInt layer, boolean bias, List<Long> shape) {

        /** Whether it has rows and columns. */
        public boolean matrix() {
            return shape.size() == 2;
        }
    }

    public TensorPlan(Blueprint blueprint, TensorNames names) {
        this.blueprint = blueprint;
        this.names = names;
        int hidden = blueprint.hiddenSize();
        matrix(EMBEDDING, NO_LAYER, blueprint.vocabularySize(), hidden, false);
        if (blueprint.learnedPositions() > 0) {
            matrix(POSITIONS, NO_LAYER, blueprint.learnedPositions(), hidden, false);
        }
        for (int layer = 0; layer < blueprint.layers().size(); layer++) {
            add(layer, blueprint.layers().get(layer));
        }
        norm(OUTPUT_NORM, NO_LAYER, Optional.of(blueprint.outputNorm()), hidden);
        blueprint.rotations().forEach(rotation -> rotation.factors()
                .ifPresent(role -> put(role, NO_LAYER, List.of(rotation.dimensions() / 2L), false)));
        if (!blueprint.tied()) {
            matrix(OUTPUT, NO_LAYER, blueprint.vocabularySize(), hidden, false);
        }
    }

    private void add(int layer, LayerPlan plan) {
        int hidden = blueprint.hiddenSize();
        AttentionPlan attention = plan.attention();
        norm(ATTENTION_NORM, layer, Optional.of(plan.before()), hidden);
        if (attention.fused()) {
            matrix(QUERY_KEY_VALUE, layer, attention.queryDim() + 2 * attention.kvDim(), hidden, attention.bias());
        } else {
            matrix(QUERY, layer, attention.queryDim(), hidden, attention.bias());
            matrix(KEY, layer, attention.kvDim(), hidden, attention.bias());
            matrix(VALUE, layer, attention.kvDim(), hidden, attention.bias());
        }
        norm(QUERY_NORM, layer, attention.queryKeyNorm(), attention.headDim());
        norm(KEY_NORM, layer, attention.queryKeyNorm(), attention.headDim());
        norm(ATTENTION_INNER_NORM, layer, attention.innerNorm(), attention.queryDim());
        matrix(ATTENTION_OUTPUT, layer, hidden, attention.queryDim(), attention.outputBias());
        norm(ATTENTION_AFTER_NORM, layer, plan.after(), hidden);

        FeedForwardPlan feedForward = plan.feedForward();
        norm(FEED_FORWARD_NORM, layer, Optional.of(plan.before()), hidden);
        if (feedForward.fused()) {
            matrix(GATE_UP, layer, 2 * feedForward.size(), hidden, false);
        } else if (feedForward.gated()) {
            matrix(GATE, layer, feedForward.size(), hidden, feedForward.bias());
        }
        if (!feedForward.fused()) {
            matrix(UP, layer, feedForward.size(), hidden, feedForward.bias());
        }
        norm(FEED_FORWARD_INNER_NORM, layer, feedForward.innerNorm(), feedForward.size());
        matrix(DOWN, layer, hidden, feedForward.size(), feedForward.bias());
        norm(FEED_FORWARD_AFTER_NORM, layer, plan.after(), hidden);
    }

    private void matrix(TensorRole role, int layer, int rows, int columns, boolean bias) {
        put(role, layer, List.of((long) rows, (long) columns), bias);
    }

    private void norm(TensorRole role, int layer, Optional<NormSpec> norm, int size) {
        norm.ifPresent(spec -> put(role, layer, List.of((long) size), spec.bias()));
    }

    private void put(TensorRole role, int layer, List<Long> shape, boolean bias) {
        OptionalInt of = layer == NO_LAYER ? OptionalInt.empty() : OptionalInt.of(layer);
        tensors.put(names.weight(role, layer), new Planned(role, of, false, shape));
        if (bias) {
            tensors.put(names.bias(role, layer), new Planned(role, of, true, List.of(shape.getFirst())));
        }
    }

    /**
     * The same model with an output head of its own, or with the embedding as its head.
     *
     * @throws ModelException if the family has no name for such a head
     */
    public TensorPlan tied(boolean tied) {
        if (tied == blueprint.tied()) {
            return this;
        }
        if (!tied && names.find(OUTPUT).isEmpty()) {
            throw new ModelException("models of architecture %s have no output head of their own".formatted(blueprint.architecture()));
        }
        return new TensorPlan(tied ? blueprint.asTied() : blueprint.asUntied(), names);
    }

    public Blueprint blueprint() {
        return blueprint;
    }

    public TensorNames names() {
        return names;
    }

    /** All tensors by name, in the order of their use. */
    public SequencedMap<String, Planned> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    /** Whether a tensor of this name is one of those that the output head is made of. */
    public boolean makesTheHead(String name) {
        Planned planned = tensors.get(name);
        return planned != null && (planned.role() == EMBEDDING || planned.role() == OUTPUT);
    }
}

package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.transformer.LayerWeights.HeadNorms;

/** From tensors by name to weights by role. Copies no matrix. */
final class WeightsAssembly {
    private static final int NO_LAYER = 0;
    private static final float[] NO_BIAS = {};

    private final Blueprint blueprint;
    private final TensorNames names;
    private final Function<String, WeightTensor> tensors;

    /** @param tensors all of the plan, in their planned shapes; throws for other names */
    WeightsAssembly(TensorPlan plan, Function<String, WeightTensor> tensors) {
        this.blueprint = plan.blueprint();
        this.names = plan.names();
        this.tensors = tensors;
    }

    ModelWeights weights(EmbeddingLayer embedding) {
        List<LayerWeights> layers = IntStream.range(0, blueprint.layers().size())
                .mapToObj(i -> layer(i, blueprint.layers().get(i))).toList();
        List<RotaryEmbedding> rotations = blueprint.rotations().stream()
                .map(rotation -> new RotaryEmbedding(
                        rotation, rotation.factors().map(role -> vector(names.weight(role))).orElse(new float[0])))
                .toList();
        Optional<PanelMatrix> positions = blueprint.learnedPositions() == 0 ? Optional.empty()
                : Optional.of(matrix(names.weight(TensorRole.POSITIONS)));
        return new ModelWeights(
                embedding, positions, layers, norm(blueprint.outputNorm(), TensorRole.OUTPUT_NORM, NO_LAYER), rotations);
    }

    private LayerWeights layer(int layer, LayerPlan plan) {
        AttentionPlan attention = plan.attention();
        FeedForwardPlan feedForward = plan.feedForward();
        return new LayerWeights(
                norm(plan.before(), TensorRole.ATTENTION_NORM, layer),
                attention.fused()
                        ? group(layer, attention.bias(), TensorRole.QUERY_KEY_VALUE)
                        : group(layer, attention.bias(), TensorRole.QUERY, TensorRole.KEY, TensorRole.VALUE),
                attention.queryKeyNorm().map(norm -> new HeadNorms(
                        norm(norm, TensorRole.QUERY_NORM, layer), norm(norm, TensorRole.KEY_NORM, layer))),
                attention.innerNorm().map(norm -> norm(norm, TensorRole.ATTENTION_INNER_NORM, layer)),
                group(layer, attention.outputBias(), TensorRole.ATTENTION_OUTPUT),
                plan.after().map(norm -> norm(norm, TensorRole.ATTENTION_AFTER_NORM, layer)),
                norm(plan.before(), TensorRole.FEED_FORWARD_NORM, layer),
                gateUp(layer, feedForward),
                feedForward.innerNorm().map(norm -> norm(norm, TensorRole.FEED_FORWARD_INNER_NORM, layer)),
                group(layer, feedForward.bias(), TensorRole.DOWN),
                plan.after().map(norm -> norm(norm, TensorRole.FEED_FORWARD_AFTER_NORM, layer)));
    }

    private MatrixGroup gateUp(int layer, FeedForwardPlan plan) {
        if (plan.fused()) {
            PanelMatrix both = matrix(names.weight(TensorRole.GATE_UP, layer));
            return new MatrixGroup(List.of(both.rows(0, plan.size()), both.rows(plan.size(), 2 * plan.size())));
        }
        return plan.gated()
                ? group(layer, plan.bias(), TensorRole.GATE, TensorRole.UP)
                : group(layer, plan.bias(), TensorRole.UP);
    }

    private MatrixGroup group(int layer, boolean bias, TensorRole... roles) {
        return new MatrixGroup(
                Arrays.stream(roles).map(role -> matrix(names.weight(role, layer))).toList(),
                Arrays.stream(roles).map(role -> bias ? vector(names.bias(role, layer)) : NO_BIAS).toList());
    }

    private Norm norm(NormSpec spec, TensorRole role, int layer) {
        float[] weight = vector(names.weight(role, layer));
        return switch (spec) {
            case NormSpec.Rms(float eps, float weightOffset) -> Norm.rms(eps, plus(weight, weightOffset));
            case NormSpec.Layer(float eps, boolean bias) ->
                Norm.layer(eps, weight, bias ? vector(names.bias(role, layer)) : NO_BIAS);
        };
    }

    /** A sum for each element, rounded once; the array itself if there is nothing to add. */
    private static float[] plus(float[] weight, float offset) {
        if (offset == 0) {
            return weight;
        }
        float[] sums = new float[weight.length];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = weight[i] + offset;
        }
        return sums;
    }

    private PanelMatrix matrix(String name) {
        return switch (tensors.apply(name)) {
            case WeightTensor.Matrix(PanelMatrix panels) -> panels;
            case WeightTensor.Vector v -> throw new IllegalArgumentException("%s is a vector: shape=%s".formatted(name, v.shape()));
        };
    }

    private float[] vector(String name) {
        return switch (tensors.apply(name)) {
            case WeightTensor.Vector v -> v.values();
            case WeightTensor.Matrix m -> throw new IllegalArgumentException("%s is a matrix: shape=%s".formatted(name, m.shape()));
        };
    }
}

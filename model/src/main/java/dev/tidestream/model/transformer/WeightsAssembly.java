package dev.tidestream.model.transformer;

import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tied.EmbeddingLayer;

/** From tensors by name to weights by role. Copies nothing. */
final class WeightsAssembly {
    private final ModelConfig config;
    private final Function<String, WeightTensor> tensors;

    /** @param tensors all of {@link TensorPlan}, in their planned shapes; throws for other names */
    WeightsAssembly(ModelConfig config, Function<String, WeightTensor> tensors) {
        this.config = config;
        this.tensors = tensors;
    }

    ModelWeights weights(EmbeddingLayer embedding, boolean ropeFactors) {
        List<LayerWeights> layers = IntStream.range(0, config.layers()).mapToObj(i -> layer(TensorPlan.layer(i))).toList();
        float[] factors = ropeFactors ? vector(TensorPlan.ROPE_FACTORS) : new float[0];
        var rope = new RotaryEmbedding(config.ropeDim(), config.ropeTheta(), config.ropePositionScale(), factors);
        return new ModelWeights(embedding, layers, vector(TensorPlan.OUTPUT_NORM), rope);
    }

    private LayerWeights layer(String prefix) {
        return new LayerWeights(
                vector(prefix + "attn_norm.weight"),
                group(prefix, "attn_q.weight", "attn_k.weight", "attn_v.weight"),
                group(prefix, "attn_output.weight"),
                vector(prefix + "ffn_norm.weight"),
                group(prefix, "ffn_gate.weight", "ffn_up.weight"),
                group(prefix, "ffn_down.weight"));
    }

    private MatrixGroup group(String prefix, String... names) {
        return new MatrixGroup(List.of(names).stream().map(name -> matrix(prefix + name)).toList());
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

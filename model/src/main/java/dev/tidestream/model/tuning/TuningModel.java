package dev.tidestream.model.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.RotaryEmbedding;
import dev.tidestream.model.tuning.product.MatrixProducts;

/**
 * A model with what is trained in it. Its weights are copies in float64. A tied embedding is one matrix here too: rows that are
 * trained are written into it, so both of its uses see them. Changed by its {@link Trainer} between two steps only.
 */
public final class TuningModel {
    private static final String EMBEDDING = "token_embd.weight";

    private final Blueprint blueprint;
    private final Dense embedding; // (V, H)
    private final Dense head; // (V, H); the embedding itself, if it is tied
    private final double[] outputNorm; // (H)
    private final Rotary rotary;
    private final List<TunedLayer> layers = new ArrayList<>();
    private final List<Parameter> parameters = new ArrayList<>();
    private final @Nullable EmbeddingRows rows;

    private TuningModel(LoadedModel model, Trained trained, int context, long seed) {
        blueprint = model.blueprint();
        embedding = WeightReader.matrix(model, EMBEDDING);
        head = blueprint.tied() ? embedding : WeightReader.matrix(model, "output.weight");
        outputNorm = WeightReader.vector(model, "output_norm.weight");
        float[] factors = model.tensor("rope_freqs.weight").orElse(null) instanceof WeightTensor.Vector vector
                ? vector.values() : new float[0];
        LayerPlan first = blueprint.layers().getFirst();
        rotary = new Rotary(new RotaryEmbedding(first.attention().rotation(), factors), first.attention().headDim(), context);
        SplittableRandom random = new SplittableRandom(seed);
        for (int layer = 0; layer < blueprint.layers().size(); layer++) {
            layers.add(layer(model, layer, trained, random));
        }
        rows = trained.rows().isEmpty() ? null : rows(trained.rows());
    }

    /**
     * Copies a model; it is not needed afterwards.
     *
     * @param context most tokens of a sequence
     * @param seed of what adapters begin with
     * @throws TuningException if it is no model that can be tuned, or a token of {@code trained} is not one of its
     */
    public static TuningModel of(LoadedModel model, Trained trained, int context, long seed) {
        TunableModels.require(model.blueprint());
        if (context > model.blueprint().contextLength()) {
            throw new TuningException("sequences are longer than the model's context: tokens=%d, context=%d"
                    .formatted(context, model.blueprint().contextLength()));
        }
        return new TuningModel(model, trained, context, seed);
    }

    private TunedLayer layer(LoadedModel model, int layer, Trained trained, SplittableRandom random) {
        LayerPlan plan = blueprint.layers().get(layer);
        return new TunedLayer(plan.attention(), plan.before().eps(),
                WeightReader.vector(model, "blk.%d.attn_norm.weight".formatted(layer)),
                linear(model, Target.Q_PROJ, layer, trained, random),
                linear(model, Target.K_PROJ, layer, trained, random),
                linear(model, Target.V_PROJ, layer, trained, random),
                linear(model, Target.O_PROJ, layer, trained, random),
                WeightReader.vector(model, "blk.%d.ffn_norm.weight".formatted(layer)),
                linear(model, Target.GATE_PROJ, layer, trained, random),
                linear(model, Target.UP_PROJ, layer, trained, random),
                linear(model, Target.DOWN_PROJ, layer, trained, random));
    }

    private Linear linear(LoadedModel model, Target target, int layer, Trained trained, SplittableRandom random) {
        String tensor = target.tensor(layer);
        Dense weight = WeightReader.matrix(model, tensor);
        if (!trained.targets().contains(target)) {
            return new Linear(tensor, weight, null);
        }
        String module = target.module(layer);
        Parameter a = parameter(module + ".lora_A.weight", trained.rank(), weight.columns());
        Parameter b = parameter(module + ".lora_B.weight", weight.rows(), trained.rank());
        double bound = 1 / StrictMath.sqrt(weight.columns());
        for (int i = 0; i < a.values().length; i++) {
            a.values()[i] = (float) random.nextDouble(-bound, bound);
        }
        return new Linear(tensor, weight, new LowRank(a, b, trained.alpha() / trained.rank()));
    }

    private EmbeddingRows rows(List<Integer> tokens) {
        Parameter values = parameter(EMBEDDING, tokens.size(), embedding.columns());
        for (int i = 0; i < tokens.size(); i++) {
            int token = tokens.get(i);
            if (token < 0 || token >= embedding.rows() || (i > 0 && token <= tokens.get(i - 1))) {
                throw new TuningException("rows must be tokens of the model, ascending: token=%d, vocabulary=%d"
                        .formatted(token, embedding.rows()));
            }
            System.arraycopy(embedding.data(), token * embedding.columns(), values.values(), i * embedding.columns(), embedding.columns());
        }
        return new EmbeddingRows(tokens.stream().mapToInt(Integer::intValue).toArray(), values);
    }

    private Parameter parameter(String name, int rowCount, int columns) {
        Parameter parameter = new Parameter(name, parameters.size(), rowCount, columns, new double[Math.multiplyExact(rowCount, columns)]);
        parameters.add(parameter);
        return parameter;
    }

    /** To be called when parameters were changed: writes trained rows into the embedding. */
    public void changed() {
        if (rows == null) {
            return;
        }
        int hidden = embedding.columns();
        for (int i = 0; i < rows.tokens().length; i++) {
            System.arraycopy(rows.values().values(), i * hidden, embedding.data(), rows.tokens()[i] * hidden, hidden);
        }
    }

    /** What is trained, in a fixed order. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters);
    }

    public Blueprint blueprint() {
        return blueprint;
    }

    /** The rows that are trained, if any are. */
    public Optional<EmbeddingRows> rows() {
        return Optional.ofNullable(rows);
    }

    /** The adapters by the GGUF names of their tensors, in the order of layers. */
    public List<AdaptedTensor> adapted() {
        List<AdaptedTensor> adapted = new ArrayList<>();
        layers.forEach(layer -> layer.linears().forEach(linear -> {
            LowRank lowRank = linear.lowRank();
            if (lowRank != null) {
                adapted.add(new AdaptedTensor(linear.tensor(), linear.weight().rows(), linear.weight().columns(),
                        linear.weight().data(), lowRank));
            }
        }));
        return adapted;
    }

    /**
     * The logits of a sequence.
     *
     * @return {@code (tokens, V)}
     */
    public double[] logits(int[] tokens, MatrixProducts products) {
        return new SequencePass(this, tokens, new Products(products)).logits().data();
    }

    Dense embedding() {
        return embedding;
    }

    Dense head() {
        return head;
    }

    boolean tied() {
        return blueprint.tied();
    }

    double[] outputNorm() {
        return outputNorm;
    }

    double eps() {
        return blueprint.outputNorm() instanceof NormSpec.Rms rms ? rms.eps() : 0;
    }

    Rotary rotary() {
        return rotary;
    }

    List<TunedLayer> layers() {
        return layers;
    }
}

package dev.tidestream.model.adapter;

import java.util.List;
import java.util.SplittableRandom;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;

/** Adapters of random weights, large enough to change every token. */
public final class RandomAdapters {
    private final Blueprint blueprint;
    private final SplittableRandom random;

    public RandomAdapters(Blueprint blueprint, long seed) {
        this.blueprint = blueprint;
        this.random = new SplittableRandom(seed);
    }

    /** A matrix of random values of a format. */
    public StoredMatrix matrix(TensorFormat format, int rows, int columns) {
        StoredMatrix matrix = StoredMatrix.empty("random", format, rows, columns);
        for (long i = 0; i < (long) rows * columns; i++) {
            float value = (float) random.nextGaussian() * 0.2f;
            switch (format) {
                case F32 -> matrix.data().set(PanelLayout.FLOAT, i * Float.BYTES, value);
                case F16 -> matrix.data().set(PanelLayout.SHORT, i * Short.BYTES, Float.floatToFloat16(value));
                case BF16 -> matrix.data().set(PanelLayout.SHORT, i * Short.BYTES, (short) (Float.floatToIntBits(value) >>> 16));
                default -> throw new IllegalArgumentException("no plain format: " + format);
            }
        }
        return matrix;
    }

    public LowRankFactors factors(TensorFormat format, int rank, int in, int out) {
        return new LowRankFactors(0.37f, matrix(format, rank, in), matrix(format, out, rank));
    }

    /** Changes of all matrices of all layers, of different ranks and formats. */
    public AdapterBuilder layers(int rank) {
        AdapterBuilder builder = new AdapterBuilder(blueprint);
        int hidden = blueprint.hiddenSize();
        for (int i = 0; i < blueprint.layers().size(); i++) {
            LayerPlan layer = blueprint.layers().get(i);
            int queries = layer.attention().queryDim();
            int keys = layer.attention().kvDim();
            builder.layer(TensorRole.QUERY, i, factors(TensorFormat.F16, rank, hidden, queries));
            builder.layer(TensorRole.KEY, i, factors(TensorFormat.BF16, rank + 1, hidden, keys));
            builder.layer(TensorRole.VALUE, i, factors(TensorFormat.F32, 1, hidden, keys));
            builder.layer(TensorRole.ATTENTION_OUTPUT, i, factors(TensorFormat.F32, rank, queries, hidden));
            FeedForwardPlan feedForward = layer.feedForward();
            builder.layer(TensorRole.GATE, i, factors(TensorFormat.BF16, rank, hidden, feedForward.size()));
            builder.layer(TensorRole.UP, i, factors(TensorFormat.BF16, rank, hidden, feedForward.size()));
            builder.layer(TensorRole.DOWN, i, factors(TensorFormat.F16, rank, feedForward.size(), hidden));
        }
        return builder;
    }

    /** One of each kind: layers and one change for both ends, the head alone, saved matrices, rows of tokens. */
    public List<Adapter> kinds() {
        int hidden = blueprint.hiddenSize();
        int vocabulary = blueprint.vocabularySize();
        StoredMatrix rows = matrix(TensorFormat.BF16, 3, hidden);
        return List.of(
                layers(8).both(factors(TensorFormat.BF16, 5, hidden, vocabulary)).build(),
                new AdapterBuilder(blueprint).head(factors(TensorFormat.F32, 4, hidden, vocabulary)).build(),
                layers(3).lookup(matrix(TensorFormat.F16, vocabulary, hidden)).head(matrix(TensorFormat.BF16, vocabulary, hidden)).build(),
                new AdapterBuilder(blueprint).lookup(new int[] {9, 3, 40}, rows).head(new int[] {9, 3, 40}, rows).build());
    }
}

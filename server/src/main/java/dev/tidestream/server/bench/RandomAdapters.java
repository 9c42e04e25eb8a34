package dev.tidestream.server.bench;

import java.util.SplittableRandom;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.model.adapter.AdapterBuilder;
import dev.tidestream.model.adapter.LowRankFactors;
import dev.tidestream.model.adapter.StoredMatrix;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.format.TensorFormat;

/** Adapters of random numbers, of every matrix of every layer, for measurements: what is computed does not depend on the numbers. */
public final class RandomAdapters {
    private static final double DEVIATION = 0.01;

    private RandomAdapters() {}

    /**
     * Makes one, in F16; the caller's.
     *
     * @param plan of the base
     * @param rank of each change
     */
    public static Adapter adapter(TensorPlan plan, int rank, long seed) {
        AdapterBuilder builder = new AdapterBuilder(plan.blueprint());
        SplittableRandom random = new SplittableRandom(seed);
        plan.tensors().forEach((name, planned) -> {
            if (planned.layer().isPresent() && planned.matrix() && !planned.bias()) {
                int rows = Math.toIntExact(planned.shape().getFirst());
                int columns = Math.toIntExact(planned.shape().getLast());
                builder.layer(planned.role(), planned.layer().getAsInt(),
                        new LowRankFactors(1, matrix(name, rank, columns, random), matrix(name, rows, rank, random)));
            }
        });
        return builder.build();
    }

    private static StoredMatrix matrix(String name, int rows, int columns, SplittableRandom random) {
        StoredMatrix matrix = StoredMatrix.empty(name, TensorFormat.F16, rows, columns);
        for (long i = 0; i < (long) rows * columns; i++) {
            TensorFormat.F16.plain().put(matrix.data(), i, (float) (random.nextGaussian() * DEVIATION));
        }
        return matrix;
    }
}

package dev.tidestream.server.bench;

import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.vector.bandwidth.StreamingRead;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.tied.TiedWeightConfig;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.Precision;

/**
 * Measures a tied head and the streaming read of this machine in turns, so that both see the same minute. Figures are medians.
 * Not counted are what compiles the kernel, on a small matrix, and the first call of each figure, unless it alone takes the whole
 * budget. A quantised packed head takes floats or int8 codes, as asked for; making the codes is counted.
 */
public final class HeadBench {
    private static final double NS_PER_US = 1e3;
    private static final int MAX_CALLS = 1000;
    private static final int WARM_UP_ROWS = 512;
    private static final int WARM_UP_CALLS = 400;
    private static final int WALL_WARM_UP_PASSES = 6;
    private static final long WARM_UP_LIMIT_NS = Duration.ofSeconds(3).toNanos();

    private final StreamingRead wall;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final Precision precision;
    private final long budgetNs;

    /**
     * What a call costs.
     *
     * @param us median time of a call
     * @param gbPerS bytes of weights that a call moves, per time
     * @param wallGbPerS of the streaming read, in between
     * @param bytesHeld tensors and derived layouts
     * @param activations what the head was multiplied with
     */
    public record Figures(double us, double gbPerS, double wallGbPerS, long bytesHeld, ActivationPrecision activations) {}

    /**
     * @param wall read between two calls, for comparison
     * @param budget of one measurement
     */
    public HeadBench(StreamingRead wall, Kernels kernels, WorkerTeam team, Precision precision, Duration budget) {
        this.wall = wall;
        this.kernels = kernels;
        this.team = team;
        this.precision = precision;
        this.budgetNs = budget.toNanos();
        for (int i = 0; i < WALL_WARM_UP_PASSES; i++) {
            wall.pass(team);
        }
    }

    /** Builds a head of weights that live longer than it. */
    public EmbeddingLayer head(HeadMode mode, PanelMatrix weight) {
        TiedWeightConfig config = new TiedWeightConfig(weight.rows(), weight.columns(), weight.format());
        return TiedHeads.build(mode, config, weight, kernels, team);
    }

    /** Has the kernel of a mode, a format and a batch compiled. */
    public void warmUp(HeadMode mode, TensorFormat format, int hidden, int batch) {
        try (Arena arena = new PageArena();
                EmbeddingLayer small = head(mode, BenchWeights.random(format, WARM_UP_ROWS, hidden, arena, team))) {
            Activations x = activations(batch, hidden);
            float[] logits = new float[batch * WARM_UP_ROWS];
            long startNs = System.nanoTime();
            for (int i = 0; i < WARM_UP_CALLS && System.nanoTime() - startNs < WARM_UP_LIMIT_NS; i++) {
                logits(small, x, logits);
            }
        }
    }

    private void logits(EmbeddingLayer head, Activations x, float[] logits) {
        if (precision.inHead(head, head.mode()) == ActivationPrecision.INT8) {
            x.quantise(kernels, team);
        }
        head.logits(x, logits, team);
    }

    private static Activations activations(int batch, int hidden) {
        Activations x = new Activations(batch, hidden); // (batch, H)
        x.reset(batch);
        SplittableRandom random = new SplittableRandom(batch);
        for (int i = 0; i < batch * hidden; i++) {
            x.values()[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** Bytes of the heap that {@link #measure} takes. */
    public static long heapBytes(long vocabulary, long hidden, long batch) {
        return batch * (vocabulary + 3 * hidden) * Float.BYTES; // logits; activations as floats and as codes, twice
    }

    /** What a call of this head costs with so many rows. */
    public Figures measure(EmbeddingLayer head, int batch) {
        Activations x = activations(batch, head.hiddenSize());
        float[] logits = new float[batch * head.vocabularySize()];
        long[] callNs = new long[MAX_CALLS];
        long[] wallNs = new long[MAX_CALLS];
        int calls = 0;
        long spentNs = 0;
        while (calls < MAX_CALLS && (calls < 2 || spentNs < budgetNs)) {
            long startNs = System.nanoTime();
            wall.pass(team);
            long readNs = System.nanoTime();
            logits(head, x, logits);
            long endNs = System.nanoTime();
            wallNs[calls] = readNs - startNs;
            callNs[calls++] = endNs - readNs;
            spentNs += endNs - startNs;
            if (calls == 1 && spentNs >= budgetNs) {
                break;
            }
        }
        int first = calls > 1 ? 1 : 0;
        double medianNs = median(callNs, first, calls);
        return new Figures(medianNs / NS_PER_US, head.bytesRead(batch) / medianNs, // bytes per ns are GB/s
                wall.bytes() / median(wallNs, first, calls), head.bytes() + head.derivedBytes(),
                precision.inHead(head, head.mode()));
    }

    private static double median(long[] values, int from, int to) {
        Arrays.sort(values, from, to);
        int n = to - from;
        return (values[from + (n - 1) / 2] + values[from + n / 2]) / 2.0;
    }
}

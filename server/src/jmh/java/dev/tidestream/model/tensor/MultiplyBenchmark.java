package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** One thread, one matrix of 8192 x 2048 (out of any cache), one row or a batch. Look at the allocation rate, too: it is 0. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector"})
public class MultiplyBenchmark {
    private static final int ROWS = 8192;
    private static final int COLUMNS = 2048;

    @Param({"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
    private TensorFormat format = TensorFormat.F32;

    @Param({"1", "16", "128"})
    private int batch;

    @Param({"false", "true"})
    private boolean int8;

    private final Arena arena = Arena.ofShared();
    private MatrixGroup matrix = MatrixGroup.of(pack(arena, TensorFormat.F32, 1, 1));
    private Activations x = new Activations(1, 1);
    private float[] out = {};

    /** Packs random weights. */
    @Setup
    public void pack() {
        matrix = MatrixGroup.of(pack(arena, format, ROWS, COLUMNS));
        x = new Activations(batch, COLUMNS);
        x.reset(batch);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < batch * COLUMNS; i++) {
            x.values()[i] = (float) random.nextGaussian();
        }
        if (int8) {
            x.quantise(KernelSelection.fastest(), WorkerTeam.sequential());
        }
        out = new float[batch * ROWS];
    }

    private static PanelMatrix pack(Arena arena, TensorFormat format, int rows, int columns) {
        return PanelPacker.pack("w", format, rows, columns,
                RandomWeights.rowMajor(format, rows, columns, new SplittableRandom(2), arena), arena, WorkerTeam.sequential());
    }

    /** The vector kernels. */
    @Benchmark
    public float[] multiply() {
        matrix.multiply(KernelSelection.fastest(), WorkerTeam.sequential(), x, out);
        return out;
    }

    /** Gives the weights back. */
    @TearDown
    public void close() {
        arena.close();
    }
}

package dev.tidestream.model.tied;

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
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.RandomWeights;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

/** One thread, one row of logits in each head mode: 8000 x 2048, F32. {@code bench head} has larger ones and more threads. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class HeadBenchmark {
    private static final int VOCABULARY = 8000;
    private static final int HIDDEN = 2048;

    @Param({"PACKED", "CACHED_TRANSPOSE", "TRANSPOSE_PER_STEP"})
    private HeadMode mode = HeadMode.PACKED;

    private final Arena arena = Arena.ofShared();
    private final Activations hidden = new Activations(1, HIDDEN);
    private final float[] logits = new float[VOCABULARY];
    private EmbeddingLayer head = head(HeadMode.PACKED, 1);

    private EmbeddingLayer head(HeadMode headMode, int rows) {
        PanelMatrix weight = PanelPacker.pack("w", TensorFormat.F32, rows, HIDDEN,
                RandomWeights.rowMajor(TensorFormat.F32, rows, HIDDEN, new SplittableRandom(1), arena), arena,
                WorkerTeam.sequential());
        return TiedHeads.build(headMode, new TiedWeightConfig(rows, HIDDEN, TensorFormat.F32), weight, KernelSelection.vector(),
                WorkerTeam.sequential());
    }

    /** Builds the head. */
    @Setup
    public void build() {
        head = head(mode, VOCABULARY);
        hidden.reset(1);
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < HIDDEN; i++) {
            hidden.values()[i] = (float) random.nextGaussian();
        }
    }

    /** One row. */
    @Benchmark
    public float[] logits() {
        head.logits(hidden, logits, WorkerTeam.sequential());
        return logits;
    }

    /** Gives the memory back. */
    @TearDown
    public void close() {
        head.close();
        arena.close();
    }
}

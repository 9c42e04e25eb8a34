package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import dev.tidestream.model.tensor.panel.PanelPacker;

/** One thread packs 8192 x 2048 as it stands in a file into panels that are there already. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class PackBenchmark {
    private static final int ROWS = 8192;
    private static final int COLUMNS = 2048;

    @Param({"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
    private TensorFormat format = TensorFormat.F32;

    private final Arena arena = Arena.ofShared();
    private MemorySegment rowMajor = MemorySegment.NULL;
    private MemorySegment panels = MemorySegment.NULL;

    /** Makes random weights. */
    @Setup
    public void weights() {
        rowMajor = RandomWeights.rowMajor(format, ROWS, COLUMNS, new SplittableRandom(1), arena);
        panels = arena.allocate(PanelMatrix.panelBytes(format, ROWS, COLUMNS), PanelMatrix.ALIGNMENT_BYTES);
    }

    /** Packs. */
    @Benchmark
    public PanelMatrix pack() {
        return PanelPacker.pack("w", format, ROWS, COLUMNS, rowMajor, (bytes, alignment) -> panels, WorkerTeam.sequential());
    }

    /** Gives the weights back. */
    @TearDown
    public void close() {
        arena.close();
    }
}

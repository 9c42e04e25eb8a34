package dev.tidestream.server.engine;

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

/** What a parallel region costs: next to nothing to do, and some 50 microseconds of work to share. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KernelWorkersBenchmark {
    private static final int ITEMS = 1 << 16;

    @Param({"1", "2"})
    private int threads;

    private KernelWorkers workers = new KernelWorkers(1);
    private final double[] values = new double[ITEMS];

    /** Starts the threads. */
    @Setup
    public void start() {
        workers = new KernelWorkers(threads);
    }

    /** A region of eight items. */
    @Benchmark
    public void emptyRegion() {
        workers.forEachRange(8, 1, (from, to) -> values[from]++);
    }

    /** A region of 65,536 multiplications in a chain each. */
    @Benchmark
    public void sharedRegion() {
        workers.forEachRange(ITEMS, 64, (from, to) -> {
            for (int i = from; i < to; i++) {
                values[i] = values[i] * 1.0000001 + 1e-9;
            }
        });
    }

    /** Ends the threads. */
    @TearDown
    public void end() {
        workers.close();
    }
}

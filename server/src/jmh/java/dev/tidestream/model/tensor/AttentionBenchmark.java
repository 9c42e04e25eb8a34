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

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.memory.PageArena;

/**
 * One layer of the Llama-3.2-1B shape (32 heads, 8 key/value heads of 64) on one thread: one row, as in decode, or eight, as in a
 * prompt. Per token there are 16 layers. Look at the allocation rate, too: it is 0.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector"})
public class AttentionBenchmark {
    private static final AttentionShape SHAPE = new AttentionShape(32, 8, 64, 0.125f);

    @Param({"128", "1024", "4096", "8192"})
    private int positions;

    @Param({"F16", "F32"})
    private KvType type = KvType.F16;

    @Param({"1", "8"})
    private int rows;

    private final Arena arena = new PageArena();
    private KvHead[] heads = {};
    private float[] query = {}; // (rows, 32, 64)
    private float[] out = {}; // (rows, 32, 64)

    /** Fills keys and values with random numbers. */
    @Setup
    public void fill() {
        SplittableRandom random = new SplittableRandom(1);
        long keyBytes = KvHead.keyBytes(SHAPE.headDim(), type);
        long headBytes = keyBytes + KvHead.valueBytes(SHAPE.headDim(), type);
        MemorySegment[] blocks = new MemorySegment[Math.ceilDiv(positions + rows, KvHead.BLOCK_POSITIONS)];
        MemorySegment slab = arena.allocate(blocks.length * SHAPE.kvHeads() * headBytes, 64);
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = slab.asSlice(i * SHAPE.kvHeads() * headBytes, SHAPE.kvHeads() * headBytes);
        }
        heads = new KvHead[SHAPE.kvHeads()];
        query = new float[rows * SHAPE.rowSize()];
        fill(query, random);
        out = new float[query.length];
        float[] numbers = new float[2 * SHAPE.headDim()];
        for (int h = 0; h < heads.length; h++) {
            heads[h] = new KvHead(blocks, h * headBytes, h * headBytes + keyBytes, SHAPE.headDim(), type);
            for (int t = 0; t < positions + rows; t++) {
                fill(numbers, random);
                heads[h].put(t, numbers, 0, numbers, SHAPE.headDim());
            }
        }
    }

    private static void fill(float[] numbers, SplittableRandom random) {
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (float) random.nextDouble(-1, 1);
        }
    }

    /** The vector kernels. */
    @Benchmark
    public float[] attend() {
        for (int h = 0; h < heads.length; h++) {
            int offset = h * SHAPE.group() * SHAPE.headDim();
            KernelSelection.vector().attend(SHAPE, heads[h], query, offset, out, offset, rows, positions);
        }
        return out;
    }

    /** Gives keys and values back. */
    @TearDown
    public void close() {
        arena.close();
    }
}

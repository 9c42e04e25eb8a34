package dev.tidestream.model.nd4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

import dev.tidestream.model.tensor.memory.PageArena;

/**
 * An ND4J array {@code (rows, columns)} of float32, row-major, in memory of its own.
 *
 * <p>ND4J zeroes what it allocates, in one go and by one thread: 0.8 s for 262 MB, measured, in which nobody can yield. So the
 * memory is ours, and its pages come when a range is written; on close they go back to the system.
 */
final class DenseMatrix implements AutoCloseable {
    /** The largest that was tried; no tied embedding that we know of has as many elements. */
    static final long MAX_ELEMENTS = Integer.MAX_VALUE;

    private static final int CACHE_LINE = 64;

    private final Arena arena;
    private final MemorySegment data; // (rows, columns)
    private final INDArray array; // (rows, columns), the same memory

    /**
     * Allocates; what is in it is zero.
     *
     * @throws Nd4jException if there are too many elements, no memory, or no ND4J
     */
    @SuppressWarnings("MustBeClosedChecker") // closed with this matrix
    DenseMatrix(long rows, long columns) {
        long elements = Math.multiplyExact(rows, columns);
        if (elements > MAX_ELEMENTS) {
            throw new Nd4jException("too large for a dense layout: rows=%d, columns=%d, elements=%d, limit=%d"
                    .formatted(rows, columns, elements, MAX_ELEMENTS));
        }
        Nd4jRuntime.start();
        arena = new PageArena();
        boolean done = false;
        try {
            data = arena.allocate(elements * Float.BYTES, CACHE_LINE);
            array = Nd4j.create(Nd4j.createBuffer(NativeFloats.of(data), elements, DataType.FLOAT),
                    new long[] {rows, columns}, new long[] {columns, 1}, 0, 'c');
            done = true;
        } catch (OutOfMemoryError e) {
            throw new Nd4jException("no memory for a dense layout: rows=%d, columns=%d, bytes=%d"
                    .formatted(rows, columns, elements * Float.BYTES), e);
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /** The elements {@code (rows, columns)}; no longer accessible once closed. */
    MemorySegment data() {
        return data;
    }

    INDArray array() {
        return array;
    }

    long bytes() {
        return data.byteSize();
    }

    @Override
    public void close() {
        array.close();
        arena.close();
    }
}

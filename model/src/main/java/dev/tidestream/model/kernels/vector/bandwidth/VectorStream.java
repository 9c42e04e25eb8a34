package dev.tidestream.model.kernels.vector.bandwidth;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;

/** Loads and additions, eight of them independent of one another. */
final class VectorStream {
    private static final int VECTOR_BYTES = L * Integer.BYTES;

    private VectorStream() {}

    /**
     * The sum of ints.
     *
     * @param bytes a multiple of 8 vectors
     */
    static int sum(MemorySegment memory, long from, long bytes) {
        IntVector a = IntVector.zero(I);
        IntVector b = a;
        IntVector c = a;
        IntVector d = a;
        IntVector e = a;
        IntVector f = a;
        IntVector g = a;
        IntVector h = a;
        for (long at = from; at < from + bytes; at += 8L * VECTOR_BYTES) {
            a = a.add(IntVector.fromMemorySegment(I, memory, at, LITTLE));
            b = b.add(IntVector.fromMemorySegment(I, memory, at + VECTOR_BYTES, LITTLE));
            c = c.add(IntVector.fromMemorySegment(I, memory, at + 2L * VECTOR_BYTES, LITTLE));
            d = d.add(IntVector.fromMemorySegment(I, memory, at + 3L * VECTOR_BYTES, LITTLE));
            e = e.add(IntVector.fromMemorySegment(I, memory, at + 4L * VECTOR_BYTES, LITTLE));
            f = f.add(IntVector.fromMemorySegment(I, memory, at + 5L * VECTOR_BYTES, LITTLE));
            g = g.add(IntVector.fromMemorySegment(I, memory, at + 6L * VECTOR_BYTES, LITTLE));
            h = h.add(IntVector.fromMemorySegment(I, memory, at + 7L * VECTOR_BYTES, LITTLE));
        }
        return a.add(b).add(c).add(d).add(e.add(f).add(g).add(h)).reduceLanes(VectorOperators.ADD);
    }
}

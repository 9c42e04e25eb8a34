package dev.tidestream.server.admin.export;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.TensorFormat;

/**
 * A vector.
 *
 * @param values nobody writes to it
 * @param to F32, F16 or BF16, in which they are exact
 */
record VectorBytes(float[] values, TensorFormat to) implements TensorBytes {
    @Override
    public long bytes() {
        return (long) values.length * to.blockBytes();
    }

    @Override
    public int pieces() {
        return 1;
    }

    @Override
    public int pieceBytes(int piece) {
        return Math.toIntExact(bytes());
    }

    @Override
    public void make(int piece, MemorySegment to) {
        for (int i = 0; i < values.length; i++) {
            to().plain().put(to, i, values[i]);
        }
    }
}

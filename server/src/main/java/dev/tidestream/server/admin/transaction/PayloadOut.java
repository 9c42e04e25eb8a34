package dev.tidestream.server.admin.transaction;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

import dev.tidestream.server.admin.AdminException;

/** Gathers what is written of a payload, little-endian, and passes it on in pieces. One thread. */
public final class PayloadOut {
    /** A tenth of a millisecond's worth of hashing and writing. */
    private static final int PIECE_BYTES = 64 << 10;

    private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Sink sink;

    /** Takes the bytes, in order. */
    public interface Sink {
        /** The next bytes; they are valid during the call only. */
        void accept(ByteBuffer bytes) throws AdminException;
    }

    public PayloadOut(Sink sink) {
        this.sink = sink;
    }

    private ByteBuffer room(int bytes) throws AdminException {
        if (piece.remaining() < bytes) {
            flush();
        }
        return piece;
    }

    /** All of the segment. */
    void bytes(MemorySegment segment) throws AdminException {
        for (long at = 0; at < segment.byteSize(); ) {
            ByteBuffer to = room(1);
            int count = (int) Math.min(to.remaining(), segment.byteSize() - at);
            MemorySegment.copy(segment, at, MemorySegment.ofBuffer(to), 0, count);
            to.position(to.position() + count);
            at += count;
        }
    }

    void putLong(long value) throws AdminException {
        room(Long.BYTES).putLong(value);
    }

    void putInt(int value) throws AdminException {
        room(Integer.BYTES).putInt(value);
    }

    void putFloat(float value) throws AdminException {
        room(Float.BYTES).putFloat(value);
    }

    void putShort(short value) throws AdminException {
        room(Short.BYTES).putShort(value);
    }

    /** Passes on what is left. */
    public void flush() throws AdminException {
        sink.accept(piece.flip());
        piece.clear();
    }
}

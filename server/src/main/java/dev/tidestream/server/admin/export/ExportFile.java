package dev.tidestream.server.admin.export;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A file that is made while it is read, from its beginning to its end: all that stands before the tensors, then their data, piece by
 * piece. One thread at a time; what the tensors are made of stays open meanwhile.
 */
public final class ExportFile {
    private static final int ALIGNMENT = 64;

    private final List<Stretch> stretches;
    private final long bytes;
    private Optional<byte[]> front;
    private MemorySegment scratch = MemorySegment.NULL;
    private int stretch;
    private int piece;

    /**
     * The data of a tensor.
     *
     * @param padding zeros behind it
     */
    record Stretch(TensorBytes tensor, int padding) {}

    ExportFile(byte[] front, List<Stretch> stretches) {
        this.front = Optional.of(front);
        this.stretches = List.copyOf(stretches);
        this.bytes = front.length + stretches.stream().mapToLong(part -> part.tensor().bytes() + part.padding()).sum();
    }

    /** Length of the file. */
    public long bytes() {
        return bytes;
    }

    /** The next bytes, at least one; nothing at the end. */
    public Optional<byte[]> next() {
        if (front.isPresent()) {
            Optional<byte[]> first = front;
            front = Optional.empty();
            return first;
        }
        if (stretch == stretches.size()) {
            return Optional.empty();
        }
        Stretch now = stretches.get(stretch);
        byte[] made = make(now);
        if (++piece == now.tensor().pieces()) {
            piece = 0;
            stretch++;
        }
        return Optional.of(made);
    }

    private byte[] make(Stretch now) {
        int length = now.tensor().pieceBytes(piece);
        if (scratch.byteSize() < length) {
            scratch = Arena.ofAuto().allocate(length, ALIGNMENT);
        }
        MemorySegment to = scratch.asSlice(0, length);
        now.tensor().make(piece, to);
        boolean last = piece == now.tensor().pieces() - 1;
        byte[] made = new byte[length + (last ? now.padding() : 0)];
        MemorySegment.copy(to, 0, MemorySegment.ofArray(made), 0, length);
        return made;
    }
}

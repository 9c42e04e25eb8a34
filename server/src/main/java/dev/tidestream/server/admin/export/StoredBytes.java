package dev.tidestream.server.admin.export;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.ModelSource;

/** A tensor of the model's files that no version holds, since it is for another length of context: as it stands there. */
final class StoredBytes implements TensorBytes {
    private final ModelSource source;
    private final GgufTensor tensor;
    private @Nullable MemorySegment data;

    StoredBytes(ModelSource source, GgufTensor tensor) {
        this.source = source;
        this.tensor = tensor;
    }

    @Override
    public long bytes() {
        return tensor.bytes();
    }

    @Override
    public int pieces() {
        return Math.toIntExact(Math.ceilDiv(tensor.bytes(), (long) PIECE_BYTES));
    }

    @Override
    public int pieceBytes(int piece) {
        return (int) Math.min(PIECE_BYTES, tensor.bytes() - (long) piece * PIECE_BYTES);
    }

    @Override
    public void make(int piece, MemorySegment to) {
        MemorySegment from = data;
        if (from == null) {
            from = source.data(tensor, Arena.ofAuto());
            data = from;
        }
        MemorySegment.copy(from, (long) piece * PIECE_BYTES, to, 0, pieceBytes(piece));
    }
}

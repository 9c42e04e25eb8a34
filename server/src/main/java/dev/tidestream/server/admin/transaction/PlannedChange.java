package dev.tidestream.server.admin.transaction;

import java.util.List;
import java.util.Optional;

import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.ChangeKind;
import dev.tidestream.server.admin.store.TensorChange;

/**
 * A change of a tensor that the model holds, and how its payload is written.
 *
 * @param name the tensor, as the part names it
 * @param tensor GGUF's name
 * @param shape see {@link ChangeKind}
 * @param rank of {@link ChangeKind#LOW_RANK}; otherwise 0
 * @param writer writes exactly as many bytes as kind, shape, type and rank make
 */
public record PlannedChange(
        String name, String tensor, ChangeKind kind, List<Long> shape, PayloadType dtype, int rank, Writer writer) {

    /** Writes a payload. */
    @FunctionalInterface
    public interface Writer {
        /** @throws AdminException what is wrong with the part, or with the disk */
        void writeTo(PayloadOut out) throws AdminException;
    }

    public PlannedChange {
        shape = List.copyOf(shape);
    }

    /** The output head becomes a matrix of its own. */
    static PlannedChange copy(String output, List<Long> shape) {
        return new PlannedChange(output, output, ChangeKind.COPY, shape, PayloadType.F32, 0, out -> { });
    }

    /** The same for a tensor of another name and the same shape. */
    PlannedChange of(String other) {
        return new PlannedChange(name, other, kind, shape, dtype, rank, writer);
    }

    /** Of the payload. */
    public long byteLength() {
        return kind.payloadBytes(shape, dtype, rank);
    }

    /** As a version has it, at a place of its payload. */
    public TensorChange at(long offsetBytes) {
        return new TensorChange(tensor, kind, shape, dtype, rank, offsetBytes, byteLength(), Optional.empty());
    }
}

package dev.tidestream.server.admin.store;

import java.util.List;
import java.util.Optional;

import dev.tidestream.protocol.admin.PayloadType;

/**
 * What a version changes in one tensor: a stretch of the version's payload.
 *
 * @param tensor GGUF name
 * @param shape see {@link ChangeKind}
 * @param rank of {@link ChangeKind#LOW_RANK}; otherwise 0
 * @param offsetBytes from the start of the payload's file
 * @param byteLength of the stretch
 * @param result what came of it, if that is kept
 */
public record TensorChange(
        String tensor, ChangeKind kind, List<Long> shape, PayloadType dtype, int rank, long offsetBytes, long byteLength,
        Optional<Result> result) {

    /**
     * What came of a change.
     *
     * @param changedRows with at least one other bit than before
     * @param sha256 of the tensor; see {@code TensorDigest}
     */
    public record Result(long changedRows, String sha256) {}

    public TensorChange {
        shape = List.copyOf(shape);
    }

    /** The same, with what came of it. */
    public TensorChange with(Result came) {
        return new TensorChange(tensor, kind, shape, dtype, rank, offsetBytes, byteLength, Optional.of(came));
    }

    /** Whether nothing of what the tensor was before is left. */
    boolean hidesWhatWasBefore() {
        return switch (kind) {
            case REPLACE -> true;
            case ROWS, DELTA, LOW_RANK, SPARSE, COPY -> false;
        };
    }
}

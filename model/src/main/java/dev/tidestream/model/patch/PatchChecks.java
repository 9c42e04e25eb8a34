package dev.tidestream.model.patch;

import java.util.List;

import dev.tidestream.model.patch.PatchException.Reason;
import dev.tidestream.model.tensor.WeightTensor;

/** What can be refused without reading a payload's values: shape, rank, length. */
final class PatchChecks {
    private PatchChecks() {}

    static void check(String name, WeightTensor base, WeightPatch patch) {
        List<Long> own = base.shape();
        long payloadBytes = switch (patch.kind()) {
            case REPLACE, DELTA -> {
                requireShape(name, own, patch);
                yield Math.multiplyExact(elements(own), patch.dtype().bytes());
            }
            case ROWS -> {
                requireMatrix(name, own, patch);
                yield rowsBytes(name, own, patch);
            }
            case LOW_RANK -> {
                requireMatrix(name, own, patch);
                requireShape(name, own, patch);
                yield lowRankBytes(name, own, patch);
            }
            case SPARSE -> sparseBytes(name, own, patch);
        };
        if (patch.payload().byteSize() != payloadBytes) {
            throw new PatchException(Reason.INVALID_LENGTH,
                    "payload has the wrong length: tensor=%s, kind=%s, shape=%s, dtype=%s, rank=%d, bytes=%d, expected=%d"
                            .formatted(name, patch.kind(), patch.shape(), patch.dtype(), patch.rank(),
                                    patch.payload().byteSize(), payloadBytes));
        }
    }

    private static void requireShape(String name, List<Long> own, WeightPatch patch) {
        if (!patch.shape().equals(own)) {
            throw new PatchException(Reason.INVALID_SHAPE, "shape is not the tensor's: tensor=%s, kind=%s, shape=%s, expected=%s"
                    .formatted(name, patch.kind(), patch.shape(), own));
        }
    }

    private static void requireMatrix(String name, List<Long> own, WeightPatch patch) {
        if (own.size() != 2) {
            throw new PatchException(Reason.INVALID_SHAPE, "kind needs a matrix: tensor=%s, kind=%s, the tensor's shape=%s"
                    .formatted(name, patch.kind(), own));
        }
    }

    private static long rowsBytes(String name, List<Long> own, WeightPatch patch) {
        long rows = own.getFirst();
        long columns = own.getLast();
        List<Long> shape = patch.shape();
        if (shape.size() != 2 || shape.getFirst() < 1 || shape.getFirst() > rows || shape.getLast() != columns) {
            throw new PatchException(Reason.INVALID_SHAPE,
                    "shape does not fit the tensor: tensor=%s, kind=ROWS, shape=%s, expected=[1 to %d, %d]"
                            .formatted(name, shape, rows, columns));
        }
        return Math.addExact(
                Math.multiplyExact(shape.getFirst(), (long) Integer.BYTES),
                Math.multiplyExact(elements(shape), patch.dtype().bytes()));
    }

    /** A rank above the smaller side adds nothing that a DELTA of fewer bytes would not, and B would outgrow the tensor. */
    private static long lowRankBytes(String name, List<Long> own, WeightPatch patch) {
        long rows = own.getFirst();
        long columns = own.getLast();
        long limit = Math.min(rows, columns);
        if (patch.rank() < 1 || patch.rank() > limit || patch.rank() * columns > PatchSource.MAX_ARRAY) {
            throw new PatchException(Reason.INVALID_SHAPE, "rank does not fit the tensor: tensor=%s, rank=%d, expected=1 to %d"
                    .formatted(name, patch.rank(), Math.min(limit, PatchSource.MAX_ARRAY / columns)));
        }
        return Math.multiplyExact(Math.multiplyExact(rows + columns, (long) patch.rank()), patch.dtype().bytes());
    }

    private static long sparseBytes(String name, List<Long> own, WeightPatch patch) {
        List<Long> shape = patch.shape();
        long limit = Math.min(elements(own), PatchSource.MAX_ARRAY);
        if (shape.size() != 1 || shape.getFirst() < 1 || shape.getFirst() > limit) {
            throw new PatchException(Reason.INVALID_SHAPE, "shape does not fit the tensor: tensor=%s, kind=SPARSE, shape=%s, expected=[1 to %d]"
                    .formatted(name, shape, limit));
        }
        return Math.multiplyExact(shape.getFirst(), (long) Long.BYTES + patch.dtype().bytes());
    }

    private static long elements(List<Long> shape) {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }
}

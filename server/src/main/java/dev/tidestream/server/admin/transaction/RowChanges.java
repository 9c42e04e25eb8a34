package dev.tidestream.server.admin.transaction;

import java.util.Arrays;
import java.util.List;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.ChangeKind;
import dev.tidestream.server.huggingface.names.NamedTensor;

/** Rows of a part: rows of what is held, or, where that stands transposed, elements of its columns. */
final class RowChanges {
    private RowChanges() {}

    static PlannedChange plan(PartChange.Rows change, NamedTensor named, List<Long> held) throws AdminException {
        ChangePlanner.requireMatrix(change.name(), "rows", held);
        List<Long> shape = named.shape(held);
        StoredNumbers rows = StoredNumbers.of(change.file(), change.rows());
        StoredNumbers values = StoredNumbers.of(change.file(), change.values());
        rows.requireNumbers();
        PayloadType type = values.floats();
        long count = rows.count();
        if (count < 1 || count > shape.getFirst()) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE, "number of rows does not fit: tensor=%s, rows=%d, expected=1..%d"
                    .formatted(change.name(), count, shape.getFirst()));
        }
        ChangePlanner.requireShape(change.name(), change.rows(), List.of(count));
        ChangePlanner.requireShape(change.name(), change.values(), List.of(count, shape.getLast()));
        long[] sorted = sorted(change.name(), rows, shape.getFirst());
        return named.transposed()
                ? new PlannedChange(change.name(), named.tensor(), ChangeKind.SPARSE, List.of(count * held.getFirst()), type, 0,
                        out -> columns(held, values, sorted, out))
                : new PlannedChange(change.name(), named.tensor(), ChangeKind.ROWS, List.of(count, held.getLast()), type, 0,
                        out -> rows(named, rows, values, out));
    }

    /** Row number in the upper half, place in the part in the lower, in order of rows. */
    private static long[] sorted(String name, StoredNumbers rows, long limit) throws AdminException {
        long[] sorted = new long[Math.toIntExact(rows.count())];
        for (int i = 0; i < sorted.length; i++) {
            long row = rows.number(i);
            if (row < 0 || row >= limit) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE,
                        "no such row: tensor=%s, rows[%d]=%d, the tensor's rows=%d".formatted(name, i, row, limit));
            }
            sorted[i] = row << Integer.SIZE | i;
        }
        Arrays.sort(sorted);
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i - 1] >> Integer.SIZE == sorted[i] >> Integer.SIZE) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE, "row is listed twice: tensor=%s, row=%d"
                        .formatted(name, sorted[i] >> Integer.SIZE));
            }
        }
        return sorted;
    }

    private static void rows(NamedTensor named, StoredNumbers rows, StoredNumbers values, PayloadOut out) throws AdminException {
        for (long i = 0; i < rows.count(); i++) {
            out.putInt((int) named.heldRow(rows.number(i)));
        }
        values.put(0, values.count(), out);
    }

    private static void columns(List<Long> held, StoredNumbers values, long[] sorted, PayloadOut out)
            throws AdminException {
        long heldRows = held.getFirst();
        for (long row = 0; row < heldRows; row++) {
            for (long entry : sorted) {
                out.putLong(row * held.getLast() + (entry >> Integer.SIZE));
            }
        }
        for (long row = 0; row < heldRows; row++) {
            for (long entry : sorted) {
                values.put((int) entry * heldRows + row, out);
            }
        }
    }
}

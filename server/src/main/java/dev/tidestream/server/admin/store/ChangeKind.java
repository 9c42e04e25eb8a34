package dev.tidestream.server.admin.store;

import java.util.List;
import java.util.Locale;

import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

/**
 * How a part of a version's payload changes a tensor. Little-endian, row by row, in the order of rows that the model is held in:
 *
 * <pre>
 * kind      shape         payload
 * replace   the tensor's  values (shape)
 * delta     the tensor's  values (shape), added to the tensor
 * rows      (n, columns)  row numbers (n), int32; values (n, columns), which replace these rows
 * low_rank  the tensor's  A (rows, rank); B (rank, columns); A·B is added to the tensor
 * sparse    (n)           places (n), int64, counted row by row, rising; values (n), which replace these elements
 * copy      the tensor's  nothing: the output head becomes a matrix of its own, with the embedding's bits
 * </pre>
 */
public enum ChangeKind {
    REPLACE,
    ROWS,
    DELTA,
    LOW_RANK,
    SPARSE,
    COPY;

    /** The same kind of an update of one tensor. */
    static ChangeKind of(UpdateKind kind) {
        return switch (kind) {
            case REPLACE -> REPLACE;
            case ROWS -> ROWS;
            case DELTA -> DELTA;
            case LOW_RANK -> LOW_RANK;
        };
    }

    /** The name as it stands in a file and in answers, e.g. {@code low_rank}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Length of the payload in bytes.
     *
     * @param shape as the table above says, all positive
     * @param rank of {@link #LOW_RANK}; otherwise not read
     * @throws ArithmeticException if it does not fit a long
     */
    public long payloadBytes(List<Long> shape, PayloadType type, int rank) {
        return switch (this) {
            case REPLACE -> UpdateKind.REPLACE.payloadBytes(shape, type, rank);
            case ROWS -> UpdateKind.ROWS.payloadBytes(shape, type, rank);
            case DELTA -> UpdateKind.DELTA.payloadBytes(shape, type, rank);
            case LOW_RANK -> UpdateKind.LOW_RANK.payloadBytes(shape, type, rank);
            case SPARSE -> Math.multiplyExact(shape.getFirst(), (long) Long.BYTES + type.bytes());
            case COPY -> 0;
        };
    }
}

package dev.tidestream.protocol.admin;

import java.util.List;
import java.util.Locale;

/**
 * How a payload changes a tensor; the wire form is the lower-case name. A payload has no header, its values lie in row-major
 * order:
 *
 * <pre>
 * kind      shape         payload
 * replace   the tensor's  values (shape)
 * delta     the tensor's  values (shape), added to the tensor
 * rows      (n, columns)  row numbers (n), int32 little-endian; values (n, columns), which replace these rows
 * low_rank  the tensor's  A (rows, rank); B (rank, columns); A·B is added to the tensor
 * </pre>
 */
public enum UpdateKind {
    REPLACE,
    ROWS,
    DELTA,
    LOW_RANK;

    /** The name as it stands in a frame, e.g. {@code low_rank}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Length of the payload in bytes.
     *
     * @param shape at least one dimension, all positive; two for {@link #ROWS} and {@link #LOW_RANK}
     * @param rank of {@link #LOW_RANK}, at least 1; otherwise not read
     * @throws ArithmeticException if it does not fit a long
     */
    public long payloadBytes(List<Long> shape, PayloadType type, int rank) {
        return switch (this) {
            case REPLACE, DELTA -> Math.multiplyExact(elements(shape), type.bytes());
            case ROWS -> Math.addExact(
                    Math.multiplyExact(elements(shape), type.bytes()),
                    Math.multiplyExact(shape.getFirst(), (long) Integer.BYTES));
            case LOW_RANK -> Math.multiplyExact(
                    Math.multiplyExact(Math.addExact(shape.getFirst(), shape.getLast()), (long) rank), type.bytes());
        };
    }

    private static long elements(List<Long> shape) {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }
}

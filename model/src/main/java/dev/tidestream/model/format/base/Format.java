package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;

/**
 * What a format of weights is: its sizes, how it rounds, and the way of its elements from a file into panels, out of them and
 * back into them. Each format describes its panels in its Javadoc. Stateless; any thread.
 *
 * <p>A panel is addressed by the byte at which it begins in a segment; a lane is one of its 32 rows.
 */
public sealed interface Format permits PlainFormat, QuantFormat {
    /** What {@link #packRow} returns if all is finite. */
    int FINITE = -1;

    /** Its sizes. */
    BlockShape shape();

    /** How products with it are rounded. */
    Rounding rounding();

    /** Bytes of a matrix in a file. */
    default long fileBytes(int rows, int columns) {
        return rows * shape().rowBytes(columns);
    }

    /**
     * Packs 32 whole rows at once, where the format has a faster way than row by row.
     *
     * @param tensor the matrix as it stands in a file
     * @param row the first of 32
     * @param panel receives them, from byte 0
     * @return whether it did: not if there is no such way, or if a value is not finite; then the panel may be filled in part
     */
    default boolean packPanel(MemorySegment tensor, int row, int columns, MemorySegment panel) {
        return false;
    }

    /**
     * Packs a row.
     *
     * @param tensor the matrix as it stands in a file
     * @param panel receives the row in {@code lane}; it begins at byte 0
     * @return {@link #FINITE}, or the column of the first value (or of the first unit with a scale) that is not finite
     */
    int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane);

    /**
     * Writes a row as it stands in a file: the bytes that {@link #packRow} has read, or others of the same values where a file
     * may say
     * one thing in two ways. A format with one scale behind all rows wants them in order, from 0 on.
     *
     * @param panel where the panel begins in {@code data}
     * @param tensor receives it: a matrix as it stands in a file
     */
    void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row);

    /**
     * Reads elements of one row; exact.
     *
     * @param fromColumn first column, inclusive; a multiple of 32
     * @param toColumn last column, exclusive; a multiple of 32, or any if the format is not quantised
     * @param out receives {@code toColumn - fromColumn} values from {@code outOffset}
     */
    void read(MemorySegment data, long panel, int lane, int fromColumn, int toColumn, float[] out, int outOffset);

    /**
     * Reads elements of all 32 rows; exact. Columns as for {@link #read}.
     *
     * @param out receives {@code (toColumn - fromColumn, 32)} from 0: the rows of a column lie side by side, in order
     */
    void readColumns(MemorySegment data, long panel, int fromColumn, int toColumn, float[] out);

    /** Makes what encodes rows into panels, for one thread. */
    RowEncoder encoder();

    /**
     * Makes finite values of random bits, for measurements: elements between 1 and 2 in magnitude, or integers times 0.01 as they
     * are.
     *
     * @param from first byte of whole units of a file
     * @param to last byte, exclusive
     */
    void makeFinite(MemorySegment rowMajor, long from, long to);
}

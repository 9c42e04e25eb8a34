package dev.tidestream.model.adapter;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntUnaryOperator;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;

/**
 * A matrix as files have it: row-major, in F32, F16 or BF16. Immutable by agreement; readable as long as its memory is.
 *
 * @param name of the tensor, for messages
 * @param data {@code (rows, columns)}, little-endian
 */
public record StoredMatrix(String name, TensorFormat format, int rows, int columns, MemorySegment data) {
    private static final int ALIGNMENT = 64;

    public StoredMatrix {
        if (format.quantised() || rows < 1 || columns < 1 || data.byteSize() != rows * format.rowBytes(columns)) {
            throw new IllegalArgumentException("no matrix of plain elements: name=%s, format=%s, rows=%d, columns=%d, bytes=%d"
                    .formatted(name, format, rows, columns, data.byteSize()));
        }
    }

    /** One that is to be filled by the caller, in memory that the garbage collector gives back. */
    public static StoredMatrix empty(String name, TensorFormat format, int rows, int columns) {
        return new StoredMatrix(name, format, rows, columns, Arena.ofAuto().allocate(rows * format.rowBytes(columns), ALIGNMENT));
    }

    /** Element as float32; exact. */
    public float element(int row, int column) {
        return format.plain().element(data, (long) row * columns + column);
    }

    /** The same with rows and columns exchanged. */
    public StoredMatrix transposed() {
        StoredMatrix out = empty(name, format, columns, rows);
        int bytes = format.blockBytes();
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                MemorySegment.copy(data, ((long) row * columns + column) * bytes, out.data, ((long) column * rows + row) * bytes, bytes);
            }
        }
        return out;
    }

    /**
     * Rows of this one in another order, or some of them.
     *
     * @param count rows of the result
     * @param rowOf which row of this one is a row of the result
     */
    public StoredMatrix select(int count, IntUnaryOperator rowOf) {
        StoredMatrix out = empty(name, format, count, columns);
        long rowBytes = format.rowBytes(columns);
        for (int row = 0; row < count; row++) {
            MemorySegment.copy(data, rowOf.applyAsInt(row) * rowBytes, out.data, row * rowBytes, rowBytes);
        }
        return out;
    }

    /** The same values as float32. */
    public StoredMatrix floats() {
        if (format == TensorFormat.F32) {
            return this;
        }
        StoredMatrix out = empty(name, TensorFormat.F32, rows, columns);
        for (long i = 0; i < (long) rows * columns; i++) {
            out.data.set(PanelLayout.FLOAT, i * Float.BYTES,
                    format.plain().element(data, i));
        }
        return out;
    }

    /** Some matrices of as many columns, one below the other: in their format if all have the same one, else in float32. */
    static StoredMatrix stacked(List<StoredMatrix> parts) {
        StoredMatrix first = parts.getFirst();
        if (parts.size() == 1) {
            return first;
        }
        boolean same = parts.stream().allMatch(part -> part.format == first.format);
        List<StoredMatrix> alike = same ? parts : parts.stream().map(StoredMatrix::floats).toList();
        int rows = parts.stream().mapToInt(StoredMatrix::rows).sum();
        StoredMatrix out = empty(first.name, alike.getFirst().format, rows, first.columns);
        long at = 0;
        for (StoredMatrix part : alike) {
            MemorySegment.copy(part.data, 0, out.data, at, part.data.byteSize());
            at += part.data.byteSize();
        }
        return out;
    }

    /** Its shape as files write it. */
    public String shape() {
        return "[%d, %d]".formatted(rows, columns);
    }
}

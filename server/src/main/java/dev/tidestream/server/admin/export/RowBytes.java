package dev.tidestream.server.admin.export;

import java.lang.foreign.MemorySegment;
import java.util.function.LongUnaryOperator;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;

/**
 * A matrix row by row: in the format that it is held in, to the bit, or as float32, exactly.
 *
 * @param to its own format, or F32
 * @param heldRow which row of the matrix is a row of the file
 */
record RowBytes(PanelMatrix matrix, TensorFormat to, LongUnaryOperator heldRow) implements TensorBytes {
    private int rowBytes() {
        return Math.toIntExact(to.rowBytes(matrix.columns()));
    }

    private int rowsAtOnce() {
        return Math.clamp(PIECE_BYTES / rowBytes(), 1, matrix.rows());
    }

    private int rowsOf(int piece) {
        return Math.min(rowsAtOnce(), matrix.rows() - piece * rowsAtOnce());
    }

    @Override
    public long bytes() {
        return (long) matrix.rows() * rowBytes();
    }

    @Override
    public int pieces() {
        return Math.ceilDiv(matrix.rows(), rowsAtOnce());
    }

    @Override
    public int pieceBytes(int piece) {
        return rowsOf(piece) * rowBytes();
    }

    @Override
    public void make(int piece, MemorySegment to) {
        int first = piece * rowsAtOnce();
        float[] row = to() == matrix.format() ? new float[0] : new float[matrix.columns()];
        for (int i = 0; i < rowsOf(piece); i++) {
            int held = Math.toIntExact(heldRow.applyAsLong(first + (long) i));
            if (to() == matrix.format()) {
                int panel = held / PanelLayout.ROWS;
                matrix.format().format().unpackRow(
                        matrix.panelData(), matrix.panelOffset(panel), held % PanelLayout.ROWS, matrix.columns(), to, i);
            } else {
                matrix.copyRow(held, row, 0);
                MemorySegment.copy(row, 0, to, PanelLayout.FLOAT, (long) i * rowBytes(), row.length);
            }
        }
    }
}

package dev.tidestream.server.admin.export;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.panel.PanelUnpacker;

/**
 * A matrix whose columns are rows of the file.
 *
 * @param to F32, F16 or BF16; the matrix's own format, or F32
 */
record TransposedBytes(PanelMatrix matrix, TensorFormat to) implements TensorBytes {
    private static final int COLUMNS = 32; // at once

    private int columnsOf(int piece) {
        return Math.min(COLUMNS, matrix.columns() - piece * COLUMNS);
    }

    @Override
    public long bytes() {
        return (long) matrix.rows() * matrix.columns() * to.blockBytes();
    }

    @Override
    public int pieces() {
        return Math.ceilDiv(matrix.columns(), COLUMNS);
    }

    @Override
    public int pieceBytes(int piece) {
        return columnsOf(piece) * matrix.rows() * to.blockBytes();
    }

    @Override
    public void make(int piece, MemorySegment to) {
        int first = piece * COLUMNS;
        int columns = columnsOf(piece);
        float[] unpacked = new float[columns * PanelLayout.ROWS]; // (columns, lanes)
        for (int panel = 0; panel < matrix.panels(); panel++) {
            PanelUnpacker.unpack(matrix, panel, first, first + columns, unpacked);
            for (int column = 0; column < columns; column++) {
                for (int lane = 0; lane < matrix.rowsOf(panel); lane++) {
                    long at = (long) column * matrix.rows() + (long) panel * PanelLayout.ROWS + lane;
                    to().plain().put(to, at, unpacked[column * PanelLayout.ROWS + lane]);
                }
            }
        }
    }
}

package dev.tidestream.server.admin.export;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;

/** A matrix whose format has something behind all rows, to the bit: one piece. */
final class WholeBytes implements TensorBytes {
    private static final int ALIGNMENT = 64;

    private final PanelMatrix matrix;
    private final long bytes;

    WholeBytes(PanelMatrix matrix) {
        this.matrix = matrix;
        this.bytes = matrix.format().format().fileBytes(matrix.rows(), matrix.columns());
    }

    /**
     * Whether the matrix can be written in its format: not if some of its rows were replaced by ones of another scale, where the format
     * has one scale for all.
     */
    boolean possible() {
        try (Arena arena = Arena.ofConfined()) {
            unpack(arena.allocate(bytes, ALIGNMENT));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void unpack(MemorySegment to) {
        for (int row = 0; row < matrix.rows(); row++) {
            matrix.format().format().unpackRow(matrix.panelData(), matrix.panelOffset(row / PanelLayout.ROWS), row % PanelLayout.ROWS,
                    matrix.columns(), to, row);
        }
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public int pieces() {
        return 1;
    }

    @Override
    public int pieceBytes(int piece) {
        return Math.toIntExact(bytes);
    }

    @Override
    public void make(int piece, MemorySegment to) {
        unpack(to);
    }
}

package dev.tidestream.model.format.i2s;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.ternary.TernaryFormat;

/**
 * Microsoft's format of BitNet: integers of two bits, and one float32 scale for the whole matrix, which stands behind it.
 * {@link TernaryFormat} describes its panels, where each row of a unit has the scale: rows can be replaced by others.
 *
 * <pre>
 * file:  unit of 128 columns: 32 bytes; byte p has columns p, 32 + p, 64 + p and 96 + p, the first in its highest two bits
 *        … all units of all rows | scale: F32 | 28 bytes of anything |
 * </pre>
 */
public final class I2S extends TernaryFormat {
    private static final int COLUMNS = 128;
    private static final int FILE_BYTES = 32;
    private static final int TAIL_BYTES = 32;

    public I2S() {
        super(COLUMNS, FILE_BYTES, true);
    }

    @Override
    public long fileBytes(int rows, int columns) {
        return super.fileBytes(rows, columns) + TAIL_BYTES;
    }

    @Override
    protected float scale(MemorySegment tensor, long at) {
        return tensor.get(PanelLayout.FLOAT, tensor.byteSize() - TAIL_BYTES);
    }

    @Override
    protected void decode(MemorySegment tensor, long at, byte[] out) {
        for (int j = 0; j < COLUMNS; j++) {
            out[j] = (byte) (tensor.get(ValueLayout.JAVA_BYTE, at + j % 32) >> (6 - j / 32 * 2) & 3);
        }
    }

    /** The first unit's scale is that of the matrix; another one cannot be written. */
    @Override
    protected void assemble(float d, byte[] quants, MemorySegment tensor, long at) {
        long tail = tensor.byteSize() - TAIL_BYTES;
        if (at == 0) {
            tensor.set(PanelLayout.FLOAT, tail, d);
        } else if (tensor.get(PanelLayout.FLOAT, tail) != d) {
            throw new IllegalArgumentException("a matrix has one scale: %s and %s".formatted(tensor.get(PanelLayout.FLOAT, tail), d));
        }
        for (int p = 0; p < FILE_BYTES; p++) {
            int four = quants[p] << 6 | quants[32 + p] << 4 | quants[64 + p] << 2 | quants[96 + p];
            tensor.set(ValueLayout.JAVA_BYTE, at + p, (byte) four);
        }
    }

    @Override
    public void makeFinite(MemorySegment rowMajor, long from, long to) {
        rowMajor.set(PanelLayout.FLOAT, rowMajor.byteSize() - TAIL_BYTES, SAMPLE_SCALE);
    }
}

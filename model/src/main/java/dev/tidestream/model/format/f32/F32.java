package dev.tidestream.model.format.f32;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.base.BlockShape;
import dev.tidestream.model.format.base.PlainFormat;
import dev.tidestream.model.format.base.RowEncoder;

import static dev.tidestream.model.format.base.PanelLayout.FLOAT;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * IEEE single precision.
 *
 * <pre>
 * column k:  | row 0 | row 1 | … | row 31 |   32 x 4 bytes, k = 0 … columns-1
 * </pre>
 */
public final class F32 implements PlainFormat {
    private static final BlockShape SHAPE = BlockShape.plain(Float.BYTES);
    private static final int EXPONENT = 0x7f80_0000;
    private static final int ONE = Float.floatToIntBits(1f);

    @Override
    public BlockShape shape() {
        return SHAPE;
    }

    @Override
    public float element(MemorySegment rowMajor, long index) {
        return rowMajor.get(FLOAT, index * Float.BYTES);
    }

    @Override
    public void put(MemorySegment rowMajor, long index, float value) {
        rowMajor.set(FLOAT, index * Float.BYTES, value);
    }

    @Override
    public float round(float value) {
        return value;
    }

    @Override
    public int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane) {
        long from = (long) row * columns * Float.BYTES;
        for (int k = 0; k < columns; k++) {
            float value = tensor.get(FLOAT, from + (long) k * Float.BYTES);
            if (!Float.isFinite(value)) {
                return k;
            }
            panel.set(FLOAT, at(0, lane, k), value);
        }
        return FINITE;
    }

    @Override
    public void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row) {
        long to = (long) row * columns * Float.BYTES;
        for (int k = 0; k < columns; k++) {
            tensor.set(FLOAT, to + (long) k * Float.BYTES, data.get(FLOAT, at(panel, lane, k)));
        }
    }

    @Override
    public void read(MemorySegment data, long panel, int lane, int fromColumn, int toColumn, float[] out, int outOffset) {
        for (int k = fromColumn; k < toColumn; k++) {
            out[outOffset + k - fromColumn] = data.get(FLOAT, at(panel, lane, k));
        }
    }

    @Override
    public void readColumns(MemorySegment data, long panel, int fromColumn, int toColumn, float[] out) {
        MemorySegment.copy(data, FLOAT, at(panel, 0, fromColumn), out, 0, (toColumn - fromColumn) * ROWS);
    }

    @Override
    public RowEncoder encoder() {
        return F32::write;
    }

    private static int write(MemorySegment data, long panel, int lane, int fromColumn, int width, float[] in) {
        int changed = 0;
        for (int j = 0; j < width; j++) {
            long to = at(panel, lane, fromColumn + j);
            changed += Float.floatToRawIntBits(data.get(FLOAT, to)) == Float.floatToRawIntBits(in[j]) ? 0 : 1;
            data.set(FLOAT, to, in[j]);
        }
        return changed;
    }

    @Override
    public void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += Float.BYTES) {
            int bits = Float.floatToRawIntBits(rowMajor.get(FLOAT, at));
            rowMajor.set(FLOAT, at, Float.intBitsToFloat((bits & ~EXPONENT) | ONE));
        }
    }

    private static long at(long panel, int lane, int k) {
        return panel + ((long) k * ROWS + lane) * Float.BYTES;
    }
}

package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SHORT;

/** Floats of 16 bits. A column of a panel has rows 0 16 1 17 … side by side. */
public abstract class ShortFormat implements PlainFormat {
    private static final BlockShape SHAPE = BlockShape.plain(Short.BYTES);

    private final int exponent; // its bits
    private final int one; // 1 in this format

    protected ShortFormat(int exponent, int one) {
        this.exponent = exponent;
        this.one = one;
    }

    /** The value of some bits. */
    public abstract float toFloat(short bits);

    /** The bits of a value, rounded to nearest, ties to even. */
    public abstract short toBits(float value);

    @Override
    public final BlockShape shape() {
        return SHAPE;
    }

    @Override
    public final float element(MemorySegment rowMajor, long index) {
        return toFloat(rowMajor.get(SHORT, index * Short.BYTES));
    }

    @Override
    public final void put(MemorySegment rowMajor, long index, float value) {
        rowMajor.set(SHORT, index * Short.BYTES, toBits(value));
    }

    @Override
    public final float round(float value) {
        return toFloat(toBits(value));
    }

    @Override
    public final boolean packPanel(MemorySegment tensor, int row, int columns, MemorySegment panel) {
        long rowBytes = (long) columns * Short.BYTES;
        return PanelTransposer.shorts(columns, tensor.asSlice(row * rowBytes, ROWS * rowBytes), panel, exponent);
    }

    @Override
    public final int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane) {
        long from = (long) row * columns * Short.BYTES;
        for (int k = 0; k < columns; k++) {
            short bits = tensor.get(SHORT, from + (long) k * Short.BYTES);
            if ((bits & exponent) == exponent) {
                return k;
            }
            panel.set(SHORT, at(0, lane, k), bits);
        }
        return FINITE;
    }

    @Override
    public final void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row) {
        long to = (long) row * columns * Short.BYTES;
        for (int k = 0; k < columns; k++) {
            tensor.set(SHORT, to + (long) k * Short.BYTES, data.get(SHORT, at(panel, lane, k)));
        }
    }

    @Override
    public final void read(MemorySegment data, long panel, int lane, int fromColumn, int toColumn, float[] out, int outOffset) {
        for (int k = fromColumn; k < toColumn; k++) {
            out[outOffset + k - fromColumn] = toFloat(data.get(SHORT, at(panel, lane, k)));
        }
    }

    @Override
    public final void readColumns(MemorySegment data, long panel, int fromColumn, int toColumn, float[] out) {
        int to = 0;
        for (int k = fromColumn; k < toColumn; k++) {
            for (int lane = 0; lane < ROWS; lane++) {
                out[to++] = toFloat(data.get(SHORT, at(panel, lane, k)));
            }
        }
    }

    @Override
    public final RowEncoder encoder() {
        return this::write;
    }

    private int write(MemorySegment data, long panel, int lane, int fromColumn, int width, float[] in) {
        int changed = 0;
        for (int j = 0; j < width; j++) {
            changed += PanelLayout.exchange(data, at(panel, lane, fromColumn + j), toBits(in[j])) == 0 ? 0 : 1;
        }
        return changed;
    }

    @Override
    public final void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += Short.BYTES) {
            int bits = rowMajor.get(SHORT, at) & ~exponent;
            rowMajor.set(SHORT, at, (short) (bits | one));
        }
    }

    private static long at(long panel, int lane, int k) {
        return panel + ((long) k * ROWS + PanelLayout.position(lane)) * Short.BYTES;
    }
}

package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SHORT;

/**
 * Blocks of 32 columns with an F16 scale, perhaps an F16 minimum, and bytes. In a panel every byte of the file stays a byte, in
 * the order of the file:
 *
 * <pre>
 * block of 32 columns:
 *        | d: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | m: the same, if there is one   |   64 bytes
 *        | byte 0, rows 0 16 1 17 …       |   32 bytes: line 0
 *        | …                              |
 * </pre>
 */
public abstract class BlockFormat implements QuantFormat {
    private static final int EXPONENT = 0x7c00; // of F16
    private static final short SAMPLE_SCALE = Float.floatToFloat16(0.01f);

    private final Rounding rounding;
    private final int scales;
    private final int bytes;
    private final BlockShape shape;

    /** @param bytes of a block of a row, its scales aside */
    protected BlockFormat(Rounding rounding, int bytes) {
        this.rounding = rounding;
        this.scales = rounding.minima() ? 2 : 1;
        this.bytes = bytes;
        this.shape = BlockShape.block(scales * Short.BYTES + bytes);
    }

    /**
     * Takes the integers of one row out of the lines of a block.
     *
     * @param lines where line 0 begins
     * @param position of the row within a line
     * @param out receives 32 of them, centred
     */
    protected abstract void quants(MemorySegment data, long lines, int position, byte[] out);

    /**
     * Encodes a block, as {@link RowEncoder} says.
     *
     * @param x 32 values
     */
    public abstract void encode(float[] x, BlockBytes out);

    /** Room for a block. */
    public final BlockBytes newBlock() {
        return new BlockBytes(bytes);
    }

    @Override
    public final Rounding rounding() {
        return rounding;
    }

    @Override
    public final BlockShape shape() {
        return shape;
    }

    @Override
    public final boolean packPanel(MemorySegment tensor, int row, int columns, MemorySegment panel) {
        long rowBytes = shape.rowBytes(columns);
        return PanelTransposer.blocks(columns, tensor.asSlice(row * rowBytes, ROWS * rowBytes), panel, scales, bytes);
    }

    @Override
    public final int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane) {
        int position = PanelLayout.position(lane);
        long from = row * shape.rowBytes(columns);
        long to = 0;
        for (int block = 0; block < columns / BLOCK; block++) {
            for (int i = 0; i < scales; i++) {
                short scale = tensor.get(SHORT, from + (long) i * Short.BYTES);
                if ((scale & EXPONENT) == EXPONENT) {
                    return block * BLOCK;
                }
                panel.set(SHORT, to + (long) i * SCALE_BYTES + position * (long) Short.BYTES, scale);
            }
            for (int j = 0; j < bytes; j++) {
                byte value = tensor.get(ValueLayout.JAVA_BYTE, from + (long) scales * Short.BYTES + j);
                panel.set(ValueLayout.JAVA_BYTE, lines(to) + (long) j * ROWS + position, value);
            }
            from += shape.fileBytes();
            to += shape.unitBytes();
        }
        return FINITE;
    }

    @Override
    public final void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row) {
        int position = PanelLayout.position(lane);
        long from = panel;
        long to = row * shape.rowBytes(columns);
        for (int block = 0; block < columns / BLOCK; block++) {
            for (int i = 0; i < scales; i++) {
                short scale = data.get(SHORT, from + (long) i * SCALE_BYTES + position * (long) Short.BYTES);
                tensor.set(SHORT, to + (long) i * Short.BYTES, scale);
            }
            for (int j = 0; j < bytes; j++) {
                byte value = data.get(ValueLayout.JAVA_BYTE, lines(from) + (long) j * ROWS + position);
                tensor.set(ValueLayout.JAVA_BYTE, to + (long) scales * Short.BYTES + j, value);
            }
            from += shape.unitBytes();
            to += shape.fileBytes();
        }
    }

    @Override
    public final void lane(MemorySegment data, long unit, int lane, int block, LaneBlock out) {
        int position = PanelLayout.position(lane);
        out.d = scale(data, unit, position);
        out.m = scales > 1 ? scale(data, unit + SCALE_BYTES, position) : 0;
        quants(data, lines(unit), position, out.quants);
    }

    /** Takes the integers of all rows out of the lines of a block, see {@link #quants}. */
    protected abstract void tileQuants(MemorySegment data, long lines, PanelTile out);

    @Override
    public final void tile(MemorySegment data, long unit, int block, PanelTile out) {
        for (int lane = 0; lane < ROWS; lane++) {
            out.d[lane] = scale(data, unit, PanelLayout.position(lane));
            out.m[lane] = scales > 1 ? scale(data, unit + SCALE_BYTES, PanelLayout.position(lane)) : 0;
        }
        Arrays.fill(out.scales, 1f);
        Arrays.fill(out.mins, 1f);
        tileQuants(data, lines(unit), out);
    }

    private long lines(long unit) {
        return unit + (long) scales * SCALE_BYTES;
    }

    private static float scale(MemorySegment data, long at, int position) {
        return Float.float16ToFloat(data.get(SHORT, at + position * (long) Short.BYTES));
    }

    @Override
    public final RowEncoder encoder() {
        BlockBytes block = newBlock();
        return (data, panel, lane, fromColumn, width, in) -> {
            encode(in, block);
            return put(data, panel + shape.unitOf(fromColumn), PanelLayout.position(lane), block) == 0 ? 0 : 1;
        };
    }

    /** Stores a block; which bits that changed. */
    private int put(MemorySegment data, long unit, int position, BlockBytes block) {
        int difference = PanelLayout.exchange(data, unit + position * (long) Short.BYTES, block.d);
        if (scales > 1) {
            difference |= PanelLayout.exchange(data, unit + SCALE_BYTES + position * (long) Short.BYTES, block.m);
        }
        for (int j = 0; j < bytes; j++) {
            long to = lines(unit) + position + (long) j * ROWS;
            difference |= data.get(ValueLayout.JAVA_BYTE, to) ^ block.bytes[j];
            data.set(ValueLayout.JAVA_BYTE, to, block.bytes[j]);
        }
        return difference;
    }

    @Override
    public final void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += shape.fileBytes()) {
            for (int i = 0; i < scales; i++) {
                rowMajor.set(SHORT, at + (long) i * Short.BYTES, SAMPLE_SCALE);
            }
        }
    }

    // ---- what encoders have in common

    /** {@code 1 / scale}, or 0 where that is not finite: ggml leaves such a block to the compiler. */
    protected static float inverse(float scale) {
        float inverse = scale == 0 ? 0 : 1 / scale;
        return Float.isInfinite(inverse) ? 0 : inverse;
    }

    /** The value of largest magnitude, the first if there are several, with its sign. */
    protected static float largest(float[] x) {
        float magnitude = 0;
        float largest = 0;
        for (int j = 0; j < BLOCK; j++) {
            if (magnitude < Math.abs(x[j])) {
                magnitude = Math.abs(x[j]);
                largest = x[j];
            }
        }
        return largest;
    }

    /** The smallest value. */
    protected static float least(float[] x) {
        float least = x[0];
        for (int j = 1; j < BLOCK; j++) {
            least = x[j] < least ? x[j] : least; // of zeros the first, as in C
        }
        return least;
    }

    /** The largest value. */
    protected static float most(float[] x) {
        float most = x[0];
        for (int j = 1; j < BLOCK; j++) {
            most = x[j] > most ? x[j] : most;
        }
        return most;
    }
}

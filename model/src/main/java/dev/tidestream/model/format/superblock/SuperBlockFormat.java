package dev.tidestream.model.format.superblock;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.BlockShape;
import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.base.RowEncoder;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SHORT;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * Super-blocks of 256 columns: an F16 scale, perhaps an F16 scale of minima, two bytes of scales for each block of 32 columns, and
 * integers in lines of one 16-bit word for each row.
 *
 * <pre>
 * super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                                64 bytes
 *        | dmin: the same, if there are minima |                                     64 bytes
 *        | block 0: two bytes of row 0, of row 16, of row 1 … |                      64 bytes
 *        |          quants, in lines of a 16-bit word for each row, rows 0 16 1 17 … |  64 bytes a line
 *        | … block 7                                                                 |
 * </pre>
 */
public abstract class SuperBlockFormat implements QuantFormat {
    private static final short SAMPLE_SCALE = Float.floatToFloat16(0.01f);

    private final Rounding rounding;
    private final BlockShape shape;

    /**
     * @param fileBytes of a super-block of a row
     * @param lines of integers of a block of 32 columns
     */
    protected SuperBlockFormat(Rounding rounding, int fileBytes, int lines) {
        this.rounding = rounding;
        this.shape = new BlockShape(
                SUPER_BLOCK, fileBytes, (rounding.minima() ? 2 : 1) * SCALE_BYTES, BLOCKS, (1 + lines) * LINE_BYTES);
    }

    /** Takes a super-block of a file apart. */
    protected abstract void decode(MemorySegment in, long at, SuperBlock out);

    /** Puts a super-block of a file together, as {@link #decode} takes it apart. */
    protected abstract void assemble(SuperBlock in, MemorySegment out, long at);

    /** Encodes 256 finite values; what is too large becomes an infinite scale. */
    public abstract void encode(float[] x, SuperBlock out, SuperBlockQuantiser quantiser);

    /** Says what the two bytes of a block mean, both from 0 to 255. */
    protected abstract void scales(int first, int second, LaneBlock out);

    /** Takes the 32 integers of a block of one row out of its lines, centred. */
    protected abstract void quants(MemorySegment data, long lines, int lane, byte[] out);

    /** Writes the 32 integers from {@code from} into the lines of a block, by {@link #putWord}; which bits that changed. */
    protected abstract int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from);

    /** Where the F16 numbers of a super-block of a file are. */
    protected abstract int[] halves();

    @Override
    public final Rounding rounding() {
        return rounding;
    }

    @Override
    public final BlockShape shape() {
        return shape;
    }

    @Override
    public final int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane) {
        SuperBlock block = new SuperBlock();
        long from = row * shape.rowBytes(columns);
        for (int i = 0; i < columns / SUPER_BLOCK; i++) {
            decode(tensor, from + (long) i * shape.fileBytes(), block);
            if (!block.finite()) {
                return i * SUPER_BLOCK;
            }
            put(panel, (long) i * shape.unitBytes(), lane, block);
        }
        return FINITE;
    }

    @Override
    public final void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row) {
        SuperBlock block = new SuperBlock();
        byte[] quants = new byte[BLOCK];
        long to = row * shape.rowBytes(columns);
        for (int i = 0; i < columns / SUPER_BLOCK; i++) {
            take(data, panel + (long) i * shape.unitBytes(), lane, block, quants);
            assemble(block, tensor, to + (long) i * shape.fileBytes());
        }
    }

    /** Reads one lane of the super-block at byte {@code unit}: what {@link #put} has written. */
    private void take(MemorySegment data, long unit, int lane, SuperBlock block, byte[] quants) {
        long position = PanelLayout.position(lane) * 2L;
        block.d = data.get(SHORT, unit + position);
        block.dmin = rounding.minima() ? data.get(SHORT, unit + SCALE_BYTES + position) : 0;
        for (int i = 0; i < BLOCKS; i++) {
            MemorySegment.copy(data, ValueLayout.JAVA_BYTE, pair(unit, lane, i), block.scales, 2 * i, 2);
            quants(data, unit + line(i) + LINE_BYTES, lane, quants);
            System.arraycopy(quants, 0, block.quants, i * BLOCK, BLOCK);
        }
    }

    @Override
    public final void lane(MemorySegment data, long unit, int lane, int block, LaneBlock out) {
        out.d = half(data, unit, lane);
        out.m = rounding.minima() ? -half(data, unit + SCALE_BYTES, lane) : 0;
        long pair = pair(unit, lane, block);
        scales(data.get(ValueLayout.JAVA_BYTE, pair) & 255, data.get(ValueLayout.JAVA_BYTE, pair + 1) & 255, out);
        quants(data, unit + line(block) + LINE_BYTES, lane, out.quants);
    }

    private static float half(MemorySegment data, long at, int lane) {
        return Float.float16ToFloat(data.get(SHORT, at + PanelLayout.position(lane) * (long) Short.BYTES));
    }

    /** Where the line of scales of block {@code 0 <= block < 8} lies, from the start of the super-block; its integers follow. */
    public final long line(int block) {
        return shape.headerBytes() + (long) block * shape.blockBytes();
    }

    private long pair(long unit, int lane, int block) {
        return unit + line(block) + PanelLayout.position(lane) * 2L;
    }

    /** A word of a line of integers. */
    protected static int word(MemorySegment data, long lines, int lane, int line) {
        return data.get(SHORT, lines + (long) line * LINE_BYTES + PanelLayout.position(lane) * 2L) & 0xffff;
    }

    /** Stores a word of a line of integers; which bits that changed. */
    protected static int putWord(MemorySegment out, long lines, int lane, int line, int word) {
        return PanelLayout.exchange(out, lines + (long) line * LINE_BYTES + PanelLayout.position(lane) * 2L, (short) word);
    }

    @Override
    public final void readColumns(MemorySegment data, long panel, int fromColumn, int toColumn, float[] out) {
        LaneBlock one = new LaneBlock();
        float[] columns = new float[BLOCK];
        for (int k = fromColumn; k < toColumn; k += BLOCK) {
            long unit = panel + shape.unitOf(k);
            for (int lane = 0; lane < ROWS; lane++) { // a row's scales are read once for each block of columns
                lane(data, unit, lane, k % SUPER_BLOCK / BLOCK, one);
                one.elements(rounding.minima(), columns, 0);
                for (int j = 0; j < BLOCK; j++) {
                    out[(k - fromColumn + j) * ROWS + lane] = columns[j];
                }
            }
        }
    }

    @Override
    public final RowEncoder encoder() {
        SuperBlock block = new SuperBlock();
        SuperBlockQuantiser quantiser = new SuperBlockQuantiser();
        return (data, panel, lane, fromColumn, width, in) -> {
            encode(in, block, quantiser);
            return put(data, panel + shape.unitOf(fromColumn), lane, block) ? 1 : 0;
        };
    }

    /** Writes one lane of the super-block at byte {@code unit}. Whether that changed a bit. */
    public final boolean put(MemorySegment out, long unit, int lane, SuperBlock block) {
        long position = PanelLayout.position(lane) * 2L;
        int difference = PanelLayout.exchange(out, unit + position, block.d);
        if (rounding.minima()) {
            difference |= PanelLayout.exchange(out, unit + SCALE_BYTES + position, block.dmin);
        }
        for (int i = 0; i < BLOCKS; i++) {
            long to = pair(unit, lane, i);
            difference |= PanelLayout.exchange(out, to, (short) ((block.scales[2 * i] & 255) | block.scales[2 * i + 1] << 8));
            difference |= putQuants(out, unit + line(i) + LINE_BYTES, lane, block.quants, i * BLOCK);
        }
        return difference != 0;
    }

    @Override
    public final void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += shape.fileBytes()) {
            for (int half : halves()) {
                rowMajor.set(SHORT, at + half, SAMPLE_SCALE);
            }
        }
    }
}

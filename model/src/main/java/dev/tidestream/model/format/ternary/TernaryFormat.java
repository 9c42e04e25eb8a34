package dev.tidestream.model.format.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.BlockShape;
import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.base.RowEncoder;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * Integers of two bits and a scale for each row of a unit: {@code w = d * (q - 1)}. Ternary weights have q from 0 to 2; 3, which no
 * writer makes, is +2, as ggml reads it. Each row has a word of 32 bits for 16 columns, from which a shift and a mask give four
 * columns as four bytes:
 *
 * <pre>
 * unit of 128 or 256 columns:
 *        | d: F16 (units of 256) or F32, rows 0 1 2 …   |   64 or 128 bytes
 *        | block 0: word of columns 0–15, rows 0 1 2 …  |  128 bytes: line 0
 *        |          word of columns 16–31, rows 0 1 2 … |  128 bytes: line 1
 *        | … block 3 or 7                               |
 *
 * bits 8 b + 2 i and 8 b + 2 i + 1 of a word: q of its column 4 i + b      (b, i = 0 … 3)
 * </pre>
 */
public abstract class TernaryFormat implements QuantFormat {
    /** The scale of random weights. */
    protected static final float SAMPLE_SCALE = 0.01f;

    private static final int LINE_COLUMNS = 16;
    private static final int LINE_BYTES = ROWS * Integer.BYTES;
    private static final int MASK = 3;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L; // 1 in each of eight bytes
    private static final long SIGNS = 0x8080_8080_8080_8080L;
    private static final long BYTES = 0x00ff_00ff_00ff_00ffL;
    private static final long SHORTS = 0x0000_ffff_0000_ffffL;
    private static final long LOW = 0xffff_ffffL;

    private final ScaleKind scale;
    private final BlockShape shape;

    /**
     * @param columns of a unit
     * @param fileBytes of a unit of a row
     * @param exactScale whether a scale takes a float32 and not an F16
     */
    protected TernaryFormat(int columns, int fileBytes, boolean exactScale) {
        this.scale = exactScale ? ScaleKind.SINGLE : ScaleKind.HALF;
        this.shape = new BlockShape(columns, fileBytes, scale.headerBytes(), columns / BLOCK, 2 * LINE_BYTES);
    }

    /** The scale of a unit of a file. */
    protected abstract float scale(MemorySegment tensor, long at);

    /** Takes the integers of a unit of a file, not centred: 0 to 3. */
    protected abstract void decode(MemorySegment tensor, long at, byte[] out);

    /** Writes a unit of a file, as {@link #scale} and {@link #decode} read it. */
    protected abstract void assemble(float d, byte[] quants, MemorySegment tensor, long at);

    @Override
    public final Rounding rounding() {
        return Rounding.BLOCKS;
    }

    @Override
    public final ActivationScaling activations() {
        return ActivationScaling.ROW;
    }

    @Override
    public final BlockShape shape() {
        return shape;
    }

    @Override
    public final int packRow(MemorySegment tensor, int row, int columns, MemorySegment panel, int lane) {
        byte[] quants = new byte[shape.columns()];
        long from = row * shape.rowBytes(columns);
        long to = 0;
        for (int k = 0; k < columns; k += shape.columns()) {
            float d = scale(tensor, from);
            if (!Float.isFinite(d)) {
                return k;
            }
            decode(tensor, from, quants);
            put(panel, to, lane, d, quants);
            from += shape.fileBytes();
            to += shape.unitBytes();
        }
        return FINITE;
    }

    @Override
    public final void unpackRow(MemorySegment data, long panel, int lane, int columns, MemorySegment tensor, int row) {
        byte[] quants = new byte[shape.columns()];
        long to = row * shape.rowBytes(columns);
        for (int k = 0; k < columns; k += shape.columns()) {
            long unit = panel + shape.unitOf(k);
            for (int line = 0; line < shape.columns() / LINE_COLUMNS; line++) {
                int word = data.get(INT, lines(unit, 0) + (long) line * LINE_BYTES + lane * 4L);
                for (int j = 0; j < LINE_COLUMNS; j++) {
                    quants[line * LINE_COLUMNS + j] = (byte) (word >>> shift(j) & MASK);
                }
            }
            assemble(scale.get(data, unit, lane), quants, tensor, to);
            to += shape.fileBytes();
        }
    }

    /** Writes one lane of a unit; which bits that changed. */
    private int put(MemorySegment data, long unit, int lane, float d, byte[] quants) {
        int difference = scale.exchange(data, unit, lane, d);
        for (int line = 0; line < shape.columns() / LINE_COLUMNS; line++) {
            int word = 0;
            for (int j = 0; j < LINE_COLUMNS; j++) {
                word |= quants[line * LINE_COLUMNS + j] << shift(j);
            }
            long at = lines(unit, 0) + (long) line * LINE_BYTES + lane * 4L;
            difference |= data.get(INT, at) ^ word;
            data.set(INT, at, word);
        }
        return difference;
    }

    /** Where a word has column {@code 0 <= j < 16}. */
    private static int shift(int j) {
        return j % 4 * Byte.SIZE + j / 4 * 2;
    }

    private long lines(long unit, int block) {
        return unit + shape.headerBytes() + (long) block * shape.blockBytes();
    }

    @Override
    public final void lane(MemorySegment data, long unit, int lane, int block, LaneBlock out) {
        out.d = scale.get(data, unit, lane);
        out.m = 0;
        for (int line = 0; line < 2; line++) {
            int word = data.get(INT, lines(unit, block) + (long) line * LINE_BYTES + lane * 4L);
            for (int j = 0; j < LINE_COLUMNS; j++) {
                out.quants[line * LINE_COLUMNS + j] = (byte) ((word >>> shift(j) & MASK) - 1);
            }
        }
    }

    @Override
    public final void tile(MemorySegment data, long unit, int block, PanelTile out) {
        for (int lane = 0; lane < ROWS; lane++) {
            out.d[lane] = scale.get(data, unit, lane);
        }
        Arrays.fill(out.m, 0f);
        Arrays.fill(out.scales, 1f);
        Arrays.fill(out.mins, 1f);
        for (int line = 0; line < 2; line++) {
            long from = lines(unit, block) + (long) line * LINE_BYTES;
            for (int row = 0; row < ROWS / 2; row += 4) {
                rows(data, from + row * 4L, line * LINE_COLUMNS * ROWS + 2 * row, out.quants);
            }
        }
    }

    /** 16 columns of rows r, r + 16, r + 1 … r + 19, whose words are turned into their four bytes of eight rows. */
    private static void rows(MemorySegment data, long from, int to, byte[] out) {
        long far = from + ROWS / 2 * 4L;
        long a = two(data, from, from + 8);
        long b = two(data, far, far + 8);
        long c = two(data, from + 4, from + 12);
        long d = two(data, far + 4, far + 12);
        long t;
        t = ((a >>> 8) ^ b) & BYTES;
        b ^= t;
        a ^= t << 8;
        t = ((c >>> 8) ^ d) & BYTES;
        d ^= t;
        c ^= t << 8;
        t = ((a >>> 16) ^ c) & SHORTS;
        c ^= t;
        a ^= t << 16;
        t = ((b >>> 16) ^ d) & SHORTS;
        d ^= t;
        b ^= t << 16;
        for (int i = 0; i < 4; i++) {
            EIGHT_BYTES.set(out, to + 4 * i * ROWS, centred(a >>> (2 * i)));
            EIGHT_BYTES.set(out, to + (4 * i + 1) * ROWS, centred(b >>> (2 * i)));
            EIGHT_BYTES.set(out, to + (4 * i + 2) * ROWS, centred(c >>> (2 * i)));
            EIGHT_BYTES.set(out, to + (4 * i + 3) * ROWS, centred(d >>> (2 * i)));
        }
    }

    private static long two(MemorySegment data, long low, long high) {
        return (data.get(INT, low) & LOW) | (long) data.get(INT, high) << Integer.SIZE;
    }

    /** The lowest two bits of each byte, less 1; no borrow leaves its byte. */
    private static long centred(long bytes) {
        return (((bytes & MASK * ONES) | SIGNS) - ONES) ^ SIGNS;
    }

    /**
     * With the bits of ggml's {@code quantize_row_tq2_0_ref}: the largest magnitude of a unit is its scale, and integers are rounded to
     * nearest, ties away from zero. Values that are ternary stay as they are.
     */
    @Override
    public final RowEncoder encoder() {
        byte[] quants = new byte[shape.columns()];
        return (data, panel, lane, fromColumn, width, in) -> {
            float d = 0f;
            for (int j = 0; j < width; j++) {
                d = Math.max(d, Math.abs(in[j]));
            }
            float inverse = 1f / d;
            for (int j = 0; j < width; j++) {
                float x = Float.isInfinite(inverse) ? 0f : in[j] * inverse;
                quants[j] = (byte) (x >= 0.5f ? 2 : x <= -0.5f ? 0 : 1);
            }
            return put(data, panel + shape.unitOf(fromColumn), lane, d, quants) == 0 ? 0 : 1;
        };
    }
}

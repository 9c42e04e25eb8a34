package dev.tidestream.model.format.q6k;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.superblock.SuperBlock;
import dev.tidestream.model.format.superblock.SuperBlockFormat;
import dev.tidestream.model.format.superblock.SuperBlockQuantiser;

import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * 16 blocks of 16 integers of 6 bits, each with an int8 scale; one F16: {@code w = d * scale * (q - 32)}.
 *
 * <pre>
 * file:  210 bytes | ql: 128 bytes, low 4 bits | qh: 64 bytes, high 2 bits | scales: 16 int8 | d: F16 |
 *
 * super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | block 0: scale of columns 0–15, of columns 16–31 (int8) of row 0, of row 16, of row 1 … |  64 bytes
 *        |          quants: 4 groups of 8 columns, 3 lines each                                    |  12 lines of 64 bytes
 *        | … block 7                                                     | 6720 bytes in all = 32 rows x 210
 *
 * word w = 0 … 2 of a group: bits  15 … 10 | 9 … 4 | 3 … 0       q - 32 in two's complement
 *                          column    2w    | 2w+1  | rest
 *                            rest of word 0: bits 5–2 of column 6; of word 2: bits 5–2 of column 7;
 *                            of word 1: bits 1–0 of column 6, then (two bits higher) of column 7
 * </pre>
 */
public final class Q6K extends SuperBlockFormat {
    /** Where the first block of a super-block begins: its line of scales, then its integers. */
    public static final int Q6K_BLOCKS = SCALE_BYTES;
    /** Lines of 8 columns. */
    public static final int Q6K_LINES = 3;
    /** Bytes of a block of a panel. */
    public static final int Q6K_BLOCK_BYTES = (1 + 4 * Q6K_LINES) * LINE_BYTES;
    /** Bytes of a super-block of a panel. */
    public static final int Q6K_BYTES = Q6K_BLOCKS + BLOCKS * Q6K_BLOCK_BYTES;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L; // 1 in each of eight bytes
    private static final long SIGNS = 0x8080_8080_8080_8080L;
    private static final int GROUP = 8; // columns
    private static final int FILE_BYTES = 210;
    private static final int FILE_HIGH = 128;
    private static final int FILE_SCALES = 192;
    private static final int FILE_D = 208;
    private static final int[] HALVES = {FILE_D};

    public Q6K() {
        super(Rounding.HALVES, FILE_BYTES, 4 * Q6K_LINES);
    }

    @Override
    protected int[] halves() {
        return HALVES;
    }

    @Override
    protected void decode(MemorySegment in, long at, SuperBlock out) {
        out.d = in.get(PanelLayout.SHORT, at + FILE_D);
        out.dmin = 0;
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, at + FILE_SCALES, out.scales, 0, out.scales.length);
        for (int k = 0; k < SUPER_BLOCK; k += Long.BYTES) {
            int half = k / 128; // 128 columns: 64 bytes of ql, 32 of qh
            int quarter = k % 128 / 32;
            long low = (in.get(LONG, at + half * 64L + quarter % 2 * 32L + k % 32) >>> (quarter / 2 * 4)) & 15 * ONES;
            long high = (in.get(LONG, at + FILE_HIGH + half * 32L + k % 32) >>> (quarter * 2)) & 3 * ONES;
            EIGHT_BYTES.set(out.quants, k, ((low | (high << 4) | SIGNS) - 32 * ONES) ^ SIGNS); // no borrow leaves its byte
        }
    }

    @Override
    protected void assemble(SuperBlock in, MemorySegment out, long at) {
        for (int j = 0; j < SUPER_BLOCK / 4; j++) { // a byte of high bits: four columns, a quarter of 128 apart
            int k = j / 32 * 128 + j % 32;
            int high = 0;
            for (int quarter = 0; quarter < 4; quarter++) {
                high |= (in.quants[k + 32 * quarter] + 32) >> 4 << (2 * quarter);
            }
            out.set(ValueLayout.JAVA_BYTE, at + FILE_HIGH + j, (byte) high);
            for (int i = 0; i < 2; i++) {
                int low = (in.quants[k + 32 * i] & 15) | (in.quants[k + 64 + 32 * i] & 15) << 4;
                out.set(ValueLayout.JAVA_BYTE, at + j / 32 * 64L + 32L * i + j % 32, (byte) low);
            }
        }
        MemorySegment.copy(in.scales, 0, out, ValueLayout.JAVA_BYTE, at + FILE_SCALES, in.scales.length);
        out.set(PanelLayout.SHORT, at + FILE_D, in.d);
    }

    @Override
    protected void scales(int first, int second, LaneBlock out) {
        out.scales[0] = (byte) first;
        out.scales[1] = (byte) second;
    }

    @Override
    public void encode(float[] x, SuperBlock out, SuperBlockQuantiser quantiser) {
        quantiser.symmetric(x, 32, 128, out);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int lane, byte[] out) {
        for (int group = 0; group < 4; group++) {
            int k = group * GROUP;
            int middle = word(data, lines, lane, group * Q6K_LINES + 1);
            for (int w = 0; w < Q6K_LINES; w++) {
                int word = word(data, lines, lane, group * Q6K_LINES + w);
                out[k + 2 * w] = signed(word >>> 10);
                out[k + 2 * w + 1] = signed(word >>> 4);
                if (w != 1) {
                    out[k + 6 + w / 2] = signed((word << 2 & 60) | (middle >>> w & 3));
                }
            }
        }
    }

    /** The lower six bits. */
    private static byte signed(int bits) {
        return (byte) (bits << 26 >> 26);
    }

    @Override
    protected int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from) {
        int difference = 0;
        for (int group = 0; group < 4; group++) {
            int k = from + group * GROUP;
            for (int w = 0; w < Q6K_LINES; w++) {
                int rest = switch (w) {
                    case 0 -> quants[k + 6] >> 2 & 15;
                    case 1 -> (quants[k + 6] & 3) | ((quants[k + 7] & 3) << 2);
                    default -> quants[k + 7] >> 2 & 15;
                };
                int word = (quants[k + 2 * w] & 63) << 10 | (quants[k + 2 * w + 1] & 63) << 4 | rest;
                difference |= putWord(out, lines, lane, group * Q6K_LINES + w, word);
            }
        }
        return difference;
    }
}

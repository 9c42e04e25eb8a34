package dev.tidestream.model.format.q3k;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.superblock.SuperBlock;
import dev.tidestream.model.format.superblock.SuperBlockFormat;
import dev.tidestream.model.format.superblock.SuperBlockQuantiser;

import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * 16 blocks of 16 integers of 3 bits, each with a scale of 6 bits; one F16: {@code w = d * (scale - 32) * (q - 4)}.
 *
 * <pre>
 * file:  110 bytes | high: 32 bytes, bit i of byte l: column 32 i + l | q: 64 bytes | scales: 12 bytes | d: F16 |
 *        byte 32 h + l of q: bits 2j and 2j + 1 are the lower ones of column 128 h + 32 j + l
 *        scale i = 0 … 15: lower four bits in a nibble of byte i mod 8, the low ones first; upper two in bits 2 (i / 4) and
 *        2 (i / 4) + 1 of byte 8 + i mod 4
 *
 * super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | block 0: scale - 32 of columns 0–15, of columns 16–31 (int8) of row 0, of row 16, of row 1 … |  64 bytes
 *        |          quants: 6 lines                                      |  6 lines of 64 bytes
 *        | … block 7                                                     | 3648 bytes in all = 32 rows x 114 (110 in the file)
 *
 * word w = 0 … 5 of a block: bits  15 | 14 … 12 | 11 … 9 | 8 … 6 | 5 … 3 | 2 … 0      q - 4 in two's complement
 *                          column   h |  5w+4   |  5w+3  | 5w+2  | 5w+1  |  5w        h: bit w mod 3 of column 30 + w / 3
 * </pre>
 */
public final class Q3K extends SuperBlockFormat {
    private static final int LINES = 6;
    private static final int OF_A_LINE = 5; // columns
    private static final int BITS = 3;
    private static final int MASK = 7;
    private static final int FILE_BYTES = 110;
    private static final int FILE_QUANTS = 32;
    private static final int FILE_SCALES = 96;
    private static final int FILE_D = 108;
    private static final int[] HALVES = {FILE_D};

    public Q3K() {
        super(Rounding.HALVES, FILE_BYTES, LINES);
    }

    @Override
    protected int[] halves() {
        return HALVES;
    }

    @Override
    protected void decode(MemorySegment in, long at, SuperBlock out) {
        out.d = in.get(PanelLayout.SHORT, at + FILE_D);
        out.dmin = 0;
        for (int i = 0; i < out.scales.length; i++) {
            int low = in.get(ValueLayout.JAVA_BYTE, at + FILE_SCALES + i % 8) >> (i / 8 * 4) & 15;
            int high = in.get(ValueLayout.JAVA_BYTE, at + FILE_SCALES + 8 + i % 4) >> (i / 4 * 2) & 3;
            out.scales[i] = (byte) ((low | high << 4) - 32);
        }
        for (int k = 0; k < SUPER_BLOCK; k++) {
            int low = in.get(ValueLayout.JAVA_BYTE, at + FILE_QUANTS + k / 128 * 32L + k % 32) >> (k % 128 / 32 * 2) & 3;
            int high = in.get(ValueLayout.JAVA_BYTE, at + k % 32) >> (k / 32) & 1;
            out.quants[k] = (byte) ((low | high << 2) - 4);
        }
    }

    @Override
    protected void assemble(SuperBlock in, MemorySegment out, long at) {
        for (int l = 0; l < 32; l++) {
            int high = 0;
            for (int i = 0; i < SUPER_BLOCK / 32; i++) {
                high |= (in.quants[32 * i + l] + 4) >> 2 << i;
            }
            out.set(ValueLayout.JAVA_BYTE, at + l, (byte) high);
        }
        for (int j = 0; j < SUPER_BLOCK / 4; j++) {
            int four = 0;
            for (int i = 0; i < 4; i++) {
                four |= (in.quants[j / 32 * 128 + 32 * i + j % 32] & 3) << (2 * i); // the 4 that was taken off has no lower bits
            }
            out.set(ValueLayout.JAVA_BYTE, at + FILE_QUANTS + j, (byte) four);
        }
        for (int i = 0; i < 8; i++) {
            int low = ((in.scales[i] + 32) & 15) | ((in.scales[i + 8] + 32) & 15) << 4;
            out.set(ValueLayout.JAVA_BYTE, at + FILE_SCALES + i, (byte) low);
        }
        for (int i = 0; i < 4; i++) {
            int high = 0;
            for (int part = 0; part < 4; part++) {
                high |= (in.scales[4 * part + i] + 32) >> 4 << (2 * part);
            }
            out.set(ValueLayout.JAVA_BYTE, at + FILE_SCALES + 8 + i, (byte) high);
        }
        out.set(PanelLayout.SHORT, at + FILE_D, in.d);
    }

    @Override
    protected void scales(int first, int second, LaneBlock out) {
        out.scales[0] = (byte) first;
        out.scales[1] = (byte) second;
    }

    @Override
    public void encode(float[] x, SuperBlock out, SuperBlockQuantiser quantiser) {
        quantiser.symmetric(x, 4, 32, out);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int lane, byte[] out) {
        int last = 0;
        for (int line = 0; line < LINES; line++) {
            int word = word(data, lines, lane, line);
            for (int i = 0; i < OF_A_LINE; i++) {
                out[line * OF_A_LINE + i] = signed(word >>> (BITS * i));
            }
            last |= word >>> 15 << line;
        }
        out[30] = signed(last);
        out[31] = signed(last >>> BITS);
    }

    /** The lower three bits. */
    private static byte signed(int bits) {
        return (byte) (bits << 29 >> 29);
    }

    @Override
    protected int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from) {
        int last = (quants[from + 30] & MASK) | (quants[from + 31] & MASK) << BITS;
        int difference = 0;
        for (int line = 0; line < LINES; line++) {
            int word = (last >> line & 1) << 15;
            for (int i = 0; i < OF_A_LINE; i++) {
                word |= (quants[from + line * OF_A_LINE + i] & MASK) << (BITS * i);
            }
            difference |= putWord(out, lines, lane, line, word);
        }
        return difference;
    }
}

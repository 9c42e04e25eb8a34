package dev.tidestream.model.format.q2k;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.format.superblock.SuperBlock;
import dev.tidestream.model.format.superblock.SuperBlockFormat;
import dev.tidestream.model.format.superblock.SuperBlockQuantiser;

import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * 16 blocks of 16 integers of 2 bits, each with a scale and a minimum of 4 bits; two F16: {@code w = d * scale * q - dmin * min}.
 *
 * <pre>
 * file:  84 bytes | scales: 16 bytes, low nibble scale, high nibble min | q: 64 bytes | d: F16 | dmin: F16 |
 *        byte 32 h + l of q: bits 2j and 2j + 1 are those of column 128 h + 32 j + l
 *
 * super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | dmin: F16, rows 0 16 1 17 … |                               64 bytes
 *        | block 0: scale and min of columns 0–15, of columns 16–31 (as in the file) of row 0, of row 16 … |  64 bytes
 *        |          quants: 4 lines                                      |  4 lines of 64 bytes
 *        | … block 7                                                     | 2688 bytes in all = 32 rows x 84
 *
 * word w = 0 … 3 of a block: bits 2i and 2i + 1 are those of column 8w + i
 * </pre>
 */
public final class Q2K extends SuperBlockFormat {
    private static final int LINES = 4;
    private static final int OF_A_LINE = 8; // columns
    private static final int FILE_BYTES = 84;
    private static final int FILE_QUANTS = 16;
    private static final int FILE_D = 80;
    private static final int[] HALVES = {FILE_D, FILE_D + Short.BYTES};
    private static final SuperBlockQuantiser.Search SEARCH = new SuperBlockQuantiser.Search(HALF, 3, 15, -0.5, 15);

    public Q2K() {
        super(Rounding.HALVES_WITH_MINIMA, FILE_BYTES, LINES);
    }

    @Override
    protected int[] halves() {
        return HALVES;
    }

    @Override
    protected void decode(MemorySegment in, long at, SuperBlock out) {
        out.d = in.get(PanelLayout.SHORT, at + FILE_D);
        out.dmin = in.get(PanelLayout.SHORT, at + FILE_D + Short.BYTES);
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, at, out.scales, 0, out.scales.length);
        for (int k = 0; k < SUPER_BLOCK; k++) {
            int four = in.get(ValueLayout.JAVA_BYTE, at + FILE_QUANTS + k / 128 * 32L + k % 32);
            out.quants[k] = (byte) (four >> (k % 128 / 32 * 2) & 3);
        }
    }

    @Override
    protected void assemble(SuperBlock in, MemorySegment out, long at) {
        MemorySegment.copy(in.scales, 0, out, ValueLayout.JAVA_BYTE, at, in.scales.length);
        for (int j = 0; j < SUPER_BLOCK / 4; j++) {
            int four = 0;
            for (int i = 0; i < 4; i++) {
                four |= in.quants[j / 32 * 128 + 32 * i + j % 32] << (2 * i);
            }
            out.set(ValueLayout.JAVA_BYTE, at + FILE_QUANTS + j, (byte) four);
        }
        out.set(PanelLayout.SHORT, at + FILE_D, in.d);
        out.set(PanelLayout.SHORT, at + FILE_D + Short.BYTES, in.dmin);
    }

    @Override
    protected void scales(int first, int second, LaneBlock out) {
        out.scales[0] = first & 15;
        out.scales[1] = second & 15;
        out.mins[0] = first >> 4;
        out.mins[1] = second >> 4;
    }

    @Override
    public void encode(float[] x, SuperBlock out, SuperBlockQuantiser quantiser) {
        quantiser.withMinima(x, SEARCH, out);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int lane, byte[] out) {
        for (int line = 0; line < LINES; line++) {
            int word = word(data, lines, lane, line);
            for (int i = 0; i < OF_A_LINE; i++) {
                out[line * OF_A_LINE + i] = (byte) (word >>> (2 * i) & 3);
            }
        }
    }

    @Override
    protected int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from) {
        int difference = 0;
        for (int line = 0; line < LINES; line++) {
            int word = 0;
            for (int i = 0; i < OF_A_LINE; i++) {
                word |= quants[from + line * OF_A_LINE + i] << (2 * i);
            }
            difference |= putWord(out, lines, lane, line, word);
        }
        return difference;
    }
}

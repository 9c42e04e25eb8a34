package dev.tidestream.model.format.q5k;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.superblock.MinimaFormat;
import dev.tidestream.model.format.superblock.SuperBlock;
import dev.tidestream.model.format.superblock.SuperBlockQuantiser;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * Like Q4_K with integers of 5 bits: {@code w = d * scale * q - dmin * min}.
 *
 * <pre>
 * file:  176 bytes | d: F16 | dmin: F16 | scales: 12 bytes | qh: 32 bytes, bit i of byte l: block i | q: 128 bytes, as Q4_K |
 *
 * super-block of 256 columns: as Q4_K, with 5 lines for each group of 16 columns: 5760 bytes = 32 rows x 180 (176 in the file)
 *
 * word w = 0 … 4 of a group: bits  15 | 14 … 10 | 9 … 5 | 4 … 0
 *                          column   h |  3w+2   | 3w+1  |  3w      h: bit w of column 15
 * </pre>
 */
public final class Q5K extends MinimaFormat {
    /** Lines of 16 columns. */
    public static final int Q5K_LINES = 5;
    /** Bytes of a block of a panel. */
    public static final int Q5K_BLOCK_BYTES = (1 + 2 * Q5K_LINES) * LINE_BYTES;

    /** Bytes of a super-block of a panel. */
    public static final int Q5K_BYTES = 2 * SCALE_BYTES + BLOCKS * Q5K_BLOCK_BYTES;

    private static final int FILE_BYTES = 176;
    private static final int FILE_HIGH = 16;
    private static final int FILE_QUANTS = 48;

    public Q5K() {
        super(FILE_BYTES, 2 * Q5K_LINES, new SuperBlockQuantiser.Search(BLOCK, 31, 63, -0.5, 15));
    }

    @Override
    protected void decode(MemorySegment in, long at, SuperBlock out) {
        decodeScales(in, at, out);
        decodeNibbles(in, at + FILE_QUANTS, out.quants);
        for (int k = 0; k < SUPER_BLOCK; k += Long.BYTES) {
            long high = (in.get(LONG, at + FILE_HIGH + k % 32) >>> (k / 32)) & ONES;
            EIGHT_BYTES.set(out.quants, k, (long) EIGHT_BYTES.get(out.quants, k) | high << 4);
        }
    }

    @Override
    protected void assemble(SuperBlock in, MemorySegment out, long at) {
        assembleScales(in, out, at);
        assembleNibbles(in.quants, out, at + FILE_QUANTS);
        for (int l = 0; l < 32; l++) {
            int high = 0;
            for (int b = 0; b < BLOCKS; b++) {
                high |= in.quants[32 * b + l] >> 4 << b;
            }
            out.set(ValueLayout.JAVA_BYTE, at + FILE_HIGH + l, (byte) high);
        }
    }

    @Override
    protected void quants(MemorySegment data, long lines, int lane, byte[] out) {
        for (int group = 0; group < 2; group++) {
            int last = 0;
            for (int w = 0; w < Q5K_LINES; w++) {
                int word = word(data, lines, lane, group * Q5K_LINES + w);
                int k = group * HALF + 3 * w;
                out[k] = (byte) (word & 31);
                out[k + 1] = (byte) (word >>> 5 & 31);
                out[k + 2] = (byte) (word >>> 10 & 31);
                last |= word >>> 15 << w;
            }
            out[group * HALF + 15] = (byte) last;
        }
    }

    @Override
    protected int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from) {
        int difference = 0;
        for (int line = 0; line < 2 * Q5K_LINES; line++) {
            int k = from + line / Q5K_LINES * HALF;
            int w = line % Q5K_LINES;
            int word = quants[k + 3 * w] | quants[k + 3 * w + 1] << 5 | quants[k + 3 * w + 2] << 10
                    | (quants[k + 15] >> w & 1) << 15;
            difference |= putWord(out, lines, lane, line, word);
        }
        return difference;
    }
}

package dev.tidestream.model.format.q4k;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import dev.tidestream.model.format.superblock.MinimaFormat;
import dev.tidestream.model.format.superblock.SuperBlock;
import dev.tidestream.model.format.superblock.SuperBlockQuantiser;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;

/**
 * 8 blocks of 32 nibbles, each with a 6-bit scale and minimum; two F16: {@code w = d * scale * q - dmin * min}.
 *
 * <pre>
 * file:  144 bytes | d: F16 | dmin: F16 | scales: 12 bytes | q: 128 bytes, low nibble block 2i, high nibble block 2i+1 |
 *
 * super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | dmin: F16, rows 0 16 1 17 … |                               64 bytes
 *        | block 0: scale byte, min byte of row 0, of row 16, of row 1 … |  64 bytes (6 bits in the file, 8 here)
 *        |          quants: 2 groups of 16 columns, 4 lines each         |  8 lines of 64 bytes
 *        | … block 7                                                     | 4736 bytes in all = 32 rows x 148 (144 in the file)
 *
 * word w = 0 … 3 of a group: bits  15 … 12 | 11 … 8 | 7 … 4 | 3 … 0
 *                          column   4w+3   |  4w+2  | 4w+1  |  4w
 * </pre>
 */
public final class Q4K extends MinimaFormat {
    /** Offset in bytes of the first block of a super-block; each block is a line of scales and minima, then lines of quants. */
    public static final int Q4K_BLOCKS = 2 * SCALE_BYTES;
    /** Lines of quants per group of 16 columns; a block of 32 columns has two groups. */
    public static final int Q4K_LINES = 4;
    /** Bytes of a block of a panel. */
    public static final int Q4K_BLOCK_BYTES = (1 + 2 * Q4K_LINES) * LINE_BYTES;
    /** Bytes of a super-block of a panel. */
    public static final int Q4K_BYTES = Q4K_BLOCKS + BLOCKS * Q4K_BLOCK_BYTES;

    private static final VarHandle FOUR_BYTES = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int FILE_BYTES = 144;
    private static final int FILE_QUANTS = 16;

    public Q4K() {
        super(FILE_BYTES, 2 * Q4K_LINES, new SuperBlockQuantiser.Search(BLOCK, 15, 63, -1, 20));
    }

    @Override
    protected void decode(MemorySegment in, long at, SuperBlock out) {
        decodeScales(in, at, out);
        decodeNibbles(in, at + FILE_QUANTS, out.quants);
    }

    @Override
    protected void quants(MemorySegment data, long lines, int lane, byte[] out) {
        for (int line = 0; line < 2 * Q4K_LINES; line++) {
            int word = word(data, lines, lane, line);
            for (int j = 0; j < 4; j++) {
                out[4 * line + j] = (byte) (word >>> (4 * j) & 15);
            }
        }
    }

    @Override
    protected int putQuants(MemorySegment out, long lines, int lane, byte[] quants, int from) {
        int difference = 0;
        for (int line = 0; line < 2 * Q4K_LINES; line++) {
            int pairs = (int) FOUR_BYTES.get(quants, from + 4 * line); // a nibble in each byte
            int bytes = (pairs | pairs >>> 4) & 0x00ff_00ff;
            difference |= putWord(out, lines, lane, line, bytes | bytes >>> 8);
        }
        return difference;
    }
}

package dev.tidestream.model.tensor;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Where the elements of a panel matrix lie.
 *
 * <p>A matrix (rows, columns) is cut into panels of 32 rows; the last is padded with zero rows. In a panel, the 32 rows are
 * interleaved: what lies side by side belongs to the same column k, so a SIMD lane is a row, its sum over k is a chain of its
 * own in one fixed order, and no sum is ever taken across lanes. Panels follow one another without gaps; a panel is read front
 * to back.
 *
 * <pre>
 * F32          column k:  | row 0 | row 1 | … | row 31 |                            32 x 4 bytes, k = 0 … columns-1
 * F16, BF16    column k:  | row 0 | row 16 | row 1 | row 17 | … | row 15 | row 31 |  32 x 2 bytes, k = 0 … columns-1
 *
 * Q8_0   block of 32 columns:
 *        | scales: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | column 0: int8, rows 0 16 1 17 … |      32 bytes
 *        | …                                |
 *        | column 31                        |     1088 bytes in all = 32 rows x 34
 *
 * Q4_0   block of 32 columns:
 *        | scales: F16, rows 0 16 1 17 … 15 31 |   64 bytes
 *        | byte j: low nibble column j, high nibble column j + 16, rows 0 16 1 17 … |  32 bytes
 *        | … j = 15                         |      576 bytes in all = 32 rows x 18
 *
 * Q4_K   super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | dmin: F16, rows 0 16 1 17 … |                               64 bytes
 *        | block 0: scale byte, min byte of row 0, of row 16, of row 1 … |  64 bytes (6 bits in the file, 8 here)
 *        |          quants: 2 groups of 16 columns, 4 lines each         |  8 lines of 64 bytes
 *        | … block 7                                                     | 4736 bytes in all = 32 rows x 148 (144 in the file)
 * Q5_K   the same with 5 lines for each group of 16 columns: 5760 bytes = 32 rows x 180 (176 in the file)
 * Q6_K   super-block of 256 columns:
 *        | d: F16, rows 0 16 1 17 … |                                  64 bytes
 *        | block 0: scale of columns 0–15, of columns 16–31 (int8) of row 0, of row 16, of row 1 … |  64 bytes
 *        |          quants: 4 groups of 8 columns, 3 lines each                                    |  12 lines of 64 bytes
 *        | … block 7                                                     | 6720 bytes in all = 32 rows x 210
 *
 * A line of K-quants is one 16-bit word for each row, rows 0 16 1 17 … 15 31:
 *        bits      15  14 … 10   9 … 5    4 … 0
 *        Q4_K      | column 4w+3 | 4w+2 | 4w+1 | 4w |   4 bits each, word w = 0 … 3
 *        Q5_K      | h | 3w+2  | 3w+1   | 3w   |        5 bits each, word w = 0 … 4; h: bit w of column 15
 *        Q6_K      | 2w | 2w+1 | rest |                 6, 6 and 4 bits, word w = 0 … 2; q - 32 in two's complement
 *                    rest of word 0: bits 5–2 of column 6; of word 2: bits 5–2 of column 7;
 *                    of word 1: bits 1–0 of column 6, then (two bits higher) of column 7
 * </pre>
 *
 * <p>Rows r and r + 16 are neighbours wherever elements are narrower than 32 bits: a 32-bit lane then holds both, and two
 * shifts give rows 0–15 and rows 16–31 as two vectors in order, at any vector width, without moving anything across lanes.
 */
public final class PanelLayout {
    /**
     * Number of this drawing. Files of packed panels carry it, and those of another number are packed anew: raise it with every
     * change of where an element of any format lies. {@code PanelLayoutVersionTest} fails if that is forgotten.
     */
    static final int VERSION = 2;

    /** A 16-bit word of a panel, or of a GGUF file. */
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A float of a panel, or of a GGUF file. */
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Rows of a panel. */
    public static final int ROWS = 32;

    /** Columns of a quantised block. */
    public static final int BLOCK = 32;

    /** Bytes of the scales in front of a quantised block. */
    public static final int SCALE_BYTES = ROWS * Short.BYTES;

    /** Columns of a super-block. */
    public static final int SUPER_BLOCK = 256;

    /** Blocks of a super-block. */
    public static final int BLOCKS = SUPER_BLOCK / BLOCK;

    /** Bytes of 16 bits for each row: a line of a K-quant. */
    public static final int LINE_BYTES = ROWS * Short.BYTES;

    /** Where the first block of a super-block of Q4_K or Q5_K begins: its line of scales, then its integers. */
    public static final int Q4K_BLOCKS = 2 * SCALE_BYTES;
    /** Lines of 16 columns. */
    public static final int Q4K_LINES = 4;
    public static final int Q4K_BLOCK_BYTES = (1 + 2 * Q4K_LINES) * LINE_BYTES;
    public static final int Q4K_BYTES = Q4K_BLOCKS + BLOCKS * Q4K_BLOCK_BYTES;
    /** Lines of 16 columns. */
    public static final int Q5K_LINES = 5;
    public static final int Q5K_BLOCK_BYTES = (1 + 2 * Q5K_LINES) * LINE_BYTES;
    public static final int Q5K_BYTES = Q4K_BLOCKS + BLOCKS * Q5K_BLOCK_BYTES;
    public static final int Q6K_BLOCKS = SCALE_BYTES;
    /** Lines of 8 columns. */
    public static final int Q6K_LINES = 3;
    public static final int Q6K_BLOCK_BYTES = (1 + 4 * Q6K_LINES) * LINE_BYTES;
    public static final int Q6K_BYTES = Q6K_BLOCKS + BLOCKS * Q6K_BLOCK_BYTES;

    public static final int Q8_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK;
    public static final int Q4_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK / 2;

    private PanelLayout() {}

    /** Panels that hold {@code rows}. */
    public static int panels(int rows) {
        return Math.ceilDiv(rows, ROWS);
    }

    /** Bytes of one panel. */
    public static long panelBytes(TensorFormat format, int columns) {
        return (long) (columns / format.blockElements()) * blockBytes(format);
    }

    /** Bytes of one block (or one column, or one super-block) of all rows of a panel. */
    public static int blockBytes(TensorFormat format) {
        return switch (format) {
            case F32, F16, BF16, Q8_0, Q4_0 -> ROWS * format.blockBytes();
            case Q4_K -> Q4K_BYTES;
            case Q5_K -> Q5K_BYTES;
            case Q6_K -> Q6K_BYTES;
        };
    }

    /** Where the line of scales of block {@code 0 <= block < 8} of a super-block lies; its integers follow. */
    public static int superBlockLine(TensorFormat format, int block) {
        return switch (format) {
            case Q4_K -> Q4K_BLOCKS + block * Q4K_BLOCK_BYTES;
            case Q5_K -> Q4K_BLOCKS + block * Q5K_BLOCK_BYTES;
            case Q6_K -> Q6K_BLOCKS + block * Q6K_BLOCK_BYTES;
            case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no super-blocks: " + format);
        };
    }

    /** Where row {@code 0 <= row < 32} stands among the neighbours of one column, for elements narrower than 32 bits. */
    public static int position(int row) {
        return row < 16 ? 2 * row : 2 * (row - 16) + 1;
    }
}

package dev.tidestream.model.tensor;

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
 * </pre>
 *
 * <p>Rows r and r + 16 are neighbours wherever elements are narrower than 32 bits: a 32-bit lane then holds both, and two
 * shifts give rows 0–15 and rows 16–31 as two vectors in order, at any vector width, without moving anything across lanes.
 */
final class PanelLayout {
    /** Rows of a panel. */
    static final int ROWS = 32;

    /** Columns of a quantised block. */
    static final int BLOCK = 32;

    /** Bytes of the scales in front of a quantised block. */
    static final int SCALE_BYTES = ROWS * Short.BYTES;

    static final int Q8_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK;
    static final int Q4_BLOCK_BYTES = SCALE_BYTES + ROWS * BLOCK / 2;

    private PanelLayout() {}

    /** Panels that hold {@code rows}. */
    static int panels(int rows) {
        return Math.ceilDiv(rows, ROWS);
    }

    /** Bytes of one panel. */
    static long panelBytes(TensorFormat format, int columns) {
        return ROWS * format.rowBytes(columns);
    }

    /** Where row {@code 0 <= row < 32} stands among the neighbours of one column, for elements narrower than 32 bits. */
    static int position(int row) {
        return row < 16 ? 2 * row : 2 * (row - 16) + 1;
    }
}

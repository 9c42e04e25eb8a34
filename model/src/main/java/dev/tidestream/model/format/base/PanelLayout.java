package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What the panels of all formats have in common; each format's class describes its own.
 *
 * <p>A matrix (rows, columns) is cut into panels of 32 rows; the last is padded with zero rows. In a panel, the 32 rows are
 * interleaved: what lies side by side belongs to the same column k, so a SIMD lane is a row, its sum over k is a chain of its
 * own in one fixed order, and no sum is ever taken across lanes. Panels follow one another without gaps; a panel is read front
 * to back.
 *
 * <p>Rows r and r + 16 are neighbours wherever elements are narrower than 32 bits: a 32-bit lane then holds both, and two
 * shifts give rows 0–15 and rows 16–31 as two vectors in order, at any vector width, without moving anything across lanes.
 */
public final class PanelLayout {
    /**
     * Number of the layouts of all formats. Files of packed panels carry it, and those of another number are packed anew: raise
     * it with every change of where an element of any format lies ({@code PanelLayoutVersionTest} fails if that is forgotten), and
     * of the bits that an encoder makes, since weights that were quantised at load are packed, too.
     */
    public static final int VERSION = 2;

    /** A 16-bit word of a panel, or of a GGUF file. */
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** A float of a panel, or of a GGUF file. */
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Rows of a panel. */
    public static final int ROWS = 32;

    /** Columns of a quantised block. */
    public static final int BLOCK = 32;

    /** Columns of half a block. */
    public static final int HALF = BLOCK / 2;

    /** Bytes of the scales in front of a quantised block. */
    public static final int SCALE_BYTES = ROWS * Short.BYTES;

    /** Columns of a super-block. */
    public static final int SUPER_BLOCK = 256;

    /** Blocks of a super-block. */
    public static final int BLOCKS = SUPER_BLOCK / BLOCK;

    /** Bytes of 16 bits for each row: a line of a K-quant. */
    public static final int LINE_BYTES = ROWS * Short.BYTES;

    private PanelLayout() {}

    /** Panels that hold {@code rows}. */
    public static int panels(int rows) {
        return Math.ceilDiv(rows, ROWS);
    }

    /** Where row {@code 0 <= row < 32} stands among the neighbours of one column, for elements narrower than 32 bits. */
    public static int position(int row) {
        return row < 16 ? 2 * row : 2 * (row - 16) + 1;
    }

    /** Stores {@code value}; which bits that changed. */
    public static int exchange(MemorySegment out, long at, short value) {
        int difference = out.get(SHORT, at) ^ value;
        out.set(SHORT, at, value);
        return difference;
    }
}

package dev.tidestream.model.format.base;

/**
 * Sizes of a format. A row is cut into units of {@code columns} elements, the blocks of a GGUF file. In a panel, a unit of all 32
 * rows is a header and some blocks of 32 columns; a format without blocks has units of one column and no header.
 *
 * @param columns elements of a unit; rows are whole numbers of units
 * @param fileBytes bytes of a unit of one row in a file
 * @param headerBytes bytes in front of the first block of a unit of a panel
 * @param blocks blocks of a unit
 * @param blockBytes bytes of a block of a panel, 32 rows together
 */
public record BlockShape(int columns, int fileBytes, int headerBytes, int blocks, int blockBytes) {

    /** Of a format whose unit is one element: a column of a panel is its block. */
    public static BlockShape plain(int bytes) {
        return new BlockShape(1, bytes, 0, 1, PanelLayout.ROWS * bytes);
    }

    /** Of a format whose unit is one block of 32 columns, without padding. */
    public static BlockShape block(int fileBytes) {
        return new BlockShape(PanelLayout.BLOCK, fileBytes, 0, 1, PanelLayout.ROWS * fileBytes);
    }

    /** Bytes of a unit of a panel, 32 rows together. */
    public int unitBytes() {
        return headerBytes + blocks * blockBytes;
    }

    /** Bytes of a row of a file. */
    public long rowBytes(int rowColumns) {
        return (long) rowColumns / columns * fileBytes;
    }

    /** Bytes of a panel. */
    public long panelBytes(int rowColumns) {
        return (long) rowColumns / columns * unitBytes();
    }

    /** Where the unit of a column begins, in bytes from the start of its panel. */
    public long unitOf(int column) {
        return (long) (column / columns) * unitBytes();
    }
}

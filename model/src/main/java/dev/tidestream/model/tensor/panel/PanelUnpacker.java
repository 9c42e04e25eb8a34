package dev.tidestream.model.tensor.panel;

import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** Reads panels as float32, column by column: the way to other layouts. Exact in every format. */
public final class PanelUnpacker {
    /** Rows of a panel; those past the matrix's end read as zero. */
    public static final int PANEL_ROWS = ROWS;

    private PanelUnpacker() {}

    /**
     * Unpacks some columns of one panel.
     *
     * @param fromColumn first column, inclusive; a multiple of 32
     * @param toColumn last column, exclusive; a multiple of 32, or the number of columns
     * @param out receives {@code (toColumn - fromColumn, 32)} from offset 0: the 32 rows of a column lie side by side
     * @throws IndexOutOfBoundsException if there is no such panel or column, or {@code out} is too short
     */
    public static void unpack(PanelMatrix w, int panel, int fromColumn, int toColumn, float[] out) {
        if (panel < 0 || panel >= w.panels() || fromColumn < 0 || fromColumn % BLOCK != 0 || fromColumn >= toColumn
                || toColumn > w.columns() || (toColumn % BLOCK != 0 && toColumn != w.columns())
                || out.length < (toColumn - fromColumn) * ROWS) {
            throw new IndexOutOfBoundsException("panel=%d, from=%d, to=%d, out=%d of a matrix with panels=%d, columns=%d"
                    .formatted(panel, fromColumn, toColumn, out.length, w.panels(), w.columns()));
        }
        w.format().format().readColumns(w.panelData(), w.panelOffset(panel), fromColumn, toColumn, out);
    }
}

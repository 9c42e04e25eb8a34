package dev.tidestream.model.tensor.panel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.tensor.KPanels;
import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;

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
        long base = w.panelOffset(panel);
        switch (w.format()) {
            case F32 -> MemorySegment.copy(w.panelData(), PanelLayout.FLOAT, base + (long) fromColumn * ROWS * Float.BYTES,
                    out, 0, (toColumn - fromColumn) * ROWS);
            case F16, BF16 -> shorts(w, base, fromColumn, toColumn, out);
            case Q8_0, Q4_0 -> blocks(w, base, fromColumn, toColumn, out);
            case Q4_K, Q5_K, Q6_K -> superBlocks(w, base, fromColumn, toColumn, out);
        }
    }

    private static void shorts(PanelMatrix w, long base, int fromColumn, int toColumn, float[] out) {
        boolean half = w.format() == TensorFormat.F16;
        int at = 0;
        for (int k = fromColumn; k < toColumn; k++) {
            long column = base + (long) k * ROWS * Short.BYTES;
            for (int lane = 0; lane < ROWS; lane++) {
                short bits = w.panelData().get(PanelLayout.SHORT, column + PanelLayout.position(lane) * (long) Short.BYTES);
                out[at++] = half ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
            }
        }
    }

    private static void blocks(PanelMatrix w, long base, int fromColumn, int toColumn, float[] out) {
        boolean q8 = w.format() == TensorFormat.Q8_0;
        int blockBytes = q8 ? PanelLayout.Q8_BLOCK_BYTES : PanelLayout.Q4_BLOCK_BYTES;
        float[] scales = new float[ROWS];
        for (int k = fromColumn; k < toColumn; k += BLOCK) {
            for (int lane = 0; lane < ROWS; lane++) {
                scales[lane] = w.scale(base, lane, k / BLOCK);
            }
            long quants = base + (long) (k / BLOCK) * blockBytes + PanelLayout.SCALE_BYTES;
            for (int j = 0; j < BLOCK; j++) {
                int at = (k - fromColumn + j) * ROWS;
                long line = quants + (q8 ? j : j % (BLOCK / 2)) * (long) ROWS;
                int shift = j < BLOCK / 2 ? 0 : 4;
                for (int lane = 0; lane < ROWS; lane++) {
                    int bits = w.panelData().get(ValueLayout.JAVA_BYTE, line + PanelLayout.position(lane));
                    out[at + lane] = scales[lane] * (q8 ? bits : (bits >>> shift & 15) - 8);
                }
            }
        }
    }

    /** Lane by lane: a row's scales are read once for each block of columns. */
    private static void superBlocks(PanelMatrix w, long base, int fromColumn, int toColumn, float[] out) {
        float[] columns = new float[BLOCK];
        for (int k = fromColumn; k < toColumn; k += BLOCK) {
            for (int lane = 0; lane < ROWS; lane++) {
                KPanels.elements(w.format(), w.panelData(), w.superBlock(base, k), lane, k % PanelLayout.SUPER_BLOCK, columns);
                for (int j = 0; j < BLOCK; j++) {
                    out[(k - fromColumn + j) * ROWS + lane] = columns[j];
                }
            }
        }
    }
}

package dev.tidestream.model.patch;

import java.util.Arrays;

import dev.tidestream.model.format.base.RowEncoder;
import dev.tidestream.model.tensor.panel.PanelEditor;

/** Buffers of one thread that works on one panel at a time, and what it has counted there. */
final class PatchScratch {
    private static final int ROWS = PanelEditor.PANEL_ROWS;

    final int[] lanes = new int[ROWS]; // rows of the panel that are touched
    final float[] values; // (touched rows, columns): replacements or what to add
    final float[] factors; // (32, rank): rows of A
    final float[] held = new float[PanelEditor.MAX_BLOCK]; // one row block: before,
    final float[] wanted = new float[PanelEditor.MAX_BLOCK]; // as it should be,
    final float[] stored = new float[PanelEditor.MAX_BLOCK]; // and after
    final RowEncoder encoder;

    double maxAbs;
    double sumOfSquares;
    int changedLanes; // bit i: row i of the panel
    int changedBlocks;

    PatchScratch(int columns, int rank, RowEncoder encoder) {
        this.encoder = encoder;
        this.values = new float[Math.multiplyExact(ROWS, columns)];
        this.factors = new float[Math.multiplyExact(ROWS, rank)];
    }

    void everyLane() {
        Arrays.setAll(lanes, i -> i);
    }

    void resetCounts() {
        maxAbs = 0;
        sumOfSquares = 0;
        changedLanes = 0;
        changedBlocks = 0;
    }
}

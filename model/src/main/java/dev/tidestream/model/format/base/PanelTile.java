package dev.tidestream.model.format.base;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** 32 columns of all 32 rows of a panel, taken out of it; the numbers are those of {@link LaneBlock}. One thread. */
public final class PanelTile {
    /** Integers, centred: (32 columns, 32 rows as packed, see {@link PanelLayout#position}). */
    public final byte[] quants = new byte[BLOCK * ROWS];
    /** Scales of units, in row order. */
    public final float[] d = new float[ROWS];
    /** What minima are multiplied with, in row order. */
    public final float[] m = new float[ROWS];
    /** Of columns 0–15, then of columns 16–31: (2, 32) in row order; integers. */
    public final float[] scales = new float[2 * ROWS];
    /** The same of minima. */
    public final float[] mins = new float[2 * ROWS];
}

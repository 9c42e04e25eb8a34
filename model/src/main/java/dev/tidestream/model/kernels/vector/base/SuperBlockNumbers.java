package dev.tidestream.model.kernels.vector.base;

import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** Numbers of a super-block of a panel, each array in row order. One thread. */
public final class SuperBlockNumbers {
    /** What an integer of one block is multiplied with in columns 0–15, then in columns 16–31. */
    public final float[] factors = new float[2 * ROWS];
    /** What is added to the products. */
    public final float[] offsets = new float[ROWS];
    /** Scales of the super-block, one a row. */
    public final float[] d = new float[ROWS];
    /** Scales of its minima, one a row. */
    public final float[] dmin = new float[ROWS];
    /** Small scales, (8, 32); of Q6_K (16, 32), two for each block. */
    public final float[] scales = new float[2 * BLOCKS * ROWS];
    /** Small minima, (8, 32). */
    public final float[] mins = new float[BLOCKS * ROWS];
}

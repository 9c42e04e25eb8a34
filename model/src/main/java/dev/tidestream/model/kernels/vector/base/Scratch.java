package dev.tidestream.model.kernels.vector.base;

import java.util.Arrays;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.tensor.Kernels;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** What a thread needs to multiply a batch: about 60 KB, and 128 bytes per row of the largest batch it has seen. */
public final class Scratch {
    /** Blocks unpacked at once to floats: 16 KB, a third of a first-level cache. */
    public static final int FLOAT_BLOCKS = 4;

    /** Blocks unpacked at once to pairs: 16 KB; a super-block. */
    public static final int PAIR_BLOCKS = PanelLayout.BLOCKS;

    /** Elements of a tile of pairs: (16 pairs of columns, 32 rows). */
    public static final int PAIR_TILE = BLOCK / 2 * ROWS;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final float[] tile = new float[FLOAT_BLOCKS * BLOCK * ROWS];
    private final short[] columnTile = new short[BLOCK * ROWS];
    private final int[] pairTiles = new int[PAIR_BLOCKS * PAIR_TILE];
    private final float[] scales = new float[PAIR_BLOCKS * ROWS];
    private final float[] partials = new float[Kernels.PARTIALS];
    private float[] sums = new float[ROWS];
    private final SuperBlockNumbers block = new SuperBlockNumbers();
    private final float[] factors = new float[16 * ROWS];
    private final float[] offsets = new float[8 * ROWS];
    private final DecodeScratch decode = new DecodeScratch();
    private final PanelTile panelTile = new PanelTile();

    /** The calling thread's. */
    public static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** Tiles of weights, (4 blocks, 32 columns, 32 rows). */
    public float[] tile() {
        return tile;
    }

    /** One tile of small integers, (32 columns, 32 rows as packed). */
    public short[] columnTile() {
        return columnTile;
    }

    /** Tiles of small integers, (8 blocks, 16 pairs of columns, 32 rows). */
    public int[] pairTiles() {
        return pairTiles;
    }

    /** Scales of blocks, (8, 32). */
    public float[] scales() {
        return scales;
    }

    /** The numbers of a super-block of a K-quant. */
    public SuperBlockNumbers block() {
        return block;
    }

    /** What the integers of a super-block are multiplied with, (16 or 8 blocks, up to 32 rows). */
    public float[] factors() {
        return factors;
    }

    /** What is added to the products, (8 blocks, up to 32 rows). */
    public float[] offsets() {
        return offsets;
    }

    /** For one row. */
    public DecodeScratch decode() {
        return decode;
    }

    /** A block of a panel as its format takes it apart. */
    public PanelTile panelTile() {
        return panelTile;
    }

    /** Partial sums, (16). */
    public float[] partials() {
        return partials;
    }

    /** The sums of a panel, (b, 32). */
    public float[] sums() {
        return sums;
    }

    /** Sums of so many elements, all 0. */
    public float[] clearedSums(int length) {
        if (sums.length < length) {
            sums = new float[length];
        } else {
            Arrays.fill(sums, 0, length, 0f);
        }
        return sums;
    }
}

package dev.tidestream.model.tensor;

import java.util.Arrays;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/** What a thread needs to multiply a batch: about 60 KB, and 128 bytes per row of the largest batch it has seen. */
final class Scratch {
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final float[] tile = new float[VectorBatch.FLOAT_BLOCKS * BLOCK * ROWS];
    private final short[] columnTile = new short[BLOCK * ROWS];
    private final int[] pairTiles = new int[VectorBatch.PAIR_BLOCKS * VectorPairs.TILE];
    private final float[] scales = new float[VectorBatch.PAIR_BLOCKS * ROWS];
    private final float[] partials = new float[Kernels.PARTIALS];
    private float[] sums = new float[ROWS];
    private final VectorKTiles.Block block = new VectorKTiles.Block();
    private final int[] superDots = new int[32 * ROWS];
    private final float[] factors = new float[16 * ROWS];
    private final float[] offsets = new float[8 * ROWS];
    private final DecodeScratch decode = new DecodeScratch();

    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    /** Tiles of weights, (4 blocks, 32 columns, 32 rows). */
    float[] tile() {
        return tile;
    }

    /** One tile of small integers, (32 columns, 32 rows as packed). */
    short[] columnTile() {
        return columnTile;
    }

    /** Tiles of small integers, (8 blocks, 16 pairs of columns, 32 rows). */
    int[] pairTiles() {
        return pairTiles;
    }

    /** Scales of blocks, (8, 32). */
    float[] scales() {
        return scales;
    }

    /** The numbers of a super-block of a K-quant. */
    VectorKTiles.Block block() {
        return block;
    }

    /** Dot products of a super-block, (32 groups of 8 or 16 groups of 16 columns, up to 32 rows). */
    int[] superDots() {
        return superDots;
    }

    /** What the integers of a super-block are multiplied with, (16 or 8 blocks, up to 32 rows). */
    float[] factors() {
        return factors;
    }

    /** What is added to the products, (8 blocks, up to 32 rows). */
    float[] offsets() {
        return offsets;
    }

    /** For one row. */
    DecodeScratch decode() {
        return decode;
    }

    /** Partial sums, (16). */
    float[] partials() {
        return partials;
    }

    /** The sums of a panel, (b, 32). */
    float[] sums() {
        return sums;
    }

    float[] clearedSums(int length) {
        if (sums.length < length) {
            sums = new float[length];
        } else {
            Arrays.fill(sums, 0, length, 0f);
        }
        return sums;
    }
}

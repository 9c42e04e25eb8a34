package dev.tidestream.model.tensor;

import jdk.incubator.vector.FloatVector;

import static dev.tidestream.model.tensor.Activations.GROUP;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;

/**
 * The kernels of many activation rows. Some blocks of the panel are unpacked into tiles that stay in the first-level cache, then
 * all rows of x go over them, four or eight at a time, so that a tile's element is used as often as it is loaded and so is a
 * broadcast value of x. The sums of the panel, (b, 32), wait in scratch from one range of blocks to the next. Rounding is that of
 * {@link VectorDecode}, so a row has the same bits in a batch and alone.
 *
 * <p>Rows that are missing in the last group of four are computed all the same, from whatever is there, and not used.
 */
final class VectorBatch {
    /** Columns of a tile of float weights. */
    private static final int TILE = 32;

    /** Blocks unpacked at once to floats: 16 KB, a third of a first-level cache. */
    static final int FLOAT_BLOCKS = 4;

    /** Blocks unpacked at once to pairs: 16 KB; a super-block. */
    static final int PAIR_BLOCKS = PanelLayout.BLOCKS;

    /** The scales of float activations. */
    private static final float[] ONES = {1f, 1f, 1f, 1f};

    private VectorBatch() {}

    /** One panel, for all rows of x; the sums are left in {@code scratch.sums()}. */
    static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch) {
        float[] sums = scratch.clearedSums(Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS);
        long at = w.panelOffset(panel);
        switch (w.format()) {
            case F32, F16, BF16 -> chains(w, at, x, scratch.tile(), sums);
            case Q8_0 -> blocks(w, at, x, scratch, sums);
            case Q4_0 -> {
                if (x.quantised()) {
                    pairs(w, at, x, scratch, sums);
                } else {
                    blocks(w, at, x, scratch, sums);
                }
            }
            case Q4_K, Q5_K, Q6_K -> VectorKBatch.panel(w, at, x, scratch, sums);
        }
    }

    // ---- float weights: chains that go on from tile to tile

    private static void chains(PanelMatrix w, long panel, Activations x, float[] tile, float[] sums) {
        for (int k = 0; k < w.columns(); k += TILE) {
            int columns = Math.min(TILE, w.columns() - k);
            VectorTiles.floats(w, panel, k, columns, tile);
            chainTile(tile, k, columns, x, sums);
        }
    }

    /** Chains over a tile of elements that begins at column {@code k}, for all rows of x. */
    static void chainTile(float[] tile, int k, int columns, Activations x, float[] sums) {
        int stride = x.columns();
        for (int part = 0; part < PARTS; part++) {
            int b = 0;
            for (; b + 8 <= x.rows(); b += 8) {
                chain8(tile, part * L, columns, x.values(), b * stride + k, stride, sums, b * ROWS + part * L);
            }
            for (; b + 4 <= x.rows(); b += 4) {
                chain4(tile, part * L, columns, x.values(), b * stride + k, stride, sums, b * ROWS + part * L);
            }
            for (; b < x.rows(); b++) {
                chain1(tile, part * L, columns, x.values(), b * stride + k, sums, b * ROWS + part * L);
            }
        }
    }

    private static void chain8(
            float[] tile, int from, int columns, float[] x, int xFrom, int xStride, float[] sums, int to) {
        FloatVector low0 = FloatVector.fromArray(F, sums, to);
        FloatVector high0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector low1 = FloatVector.fromArray(F, sums, to + ROWS);
        FloatVector high1 = FloatVector.fromArray(F, sums, to + ROWS + 16);
        FloatVector low2 = FloatVector.fromArray(F, sums, to + 2 * ROWS);
        FloatVector high2 = FloatVector.fromArray(F, sums, to + 2 * ROWS + 16);
        FloatVector low3 = FloatVector.fromArray(F, sums, to + 3 * ROWS);
        FloatVector high3 = FloatVector.fromArray(F, sums, to + 3 * ROWS + 16);
        FloatVector low4 = FloatVector.fromArray(F, sums, to + 4 * ROWS);
        FloatVector high4 = FloatVector.fromArray(F, sums, to + 4 * ROWS + 16);
        FloatVector low5 = FloatVector.fromArray(F, sums, to + 5 * ROWS);
        FloatVector high5 = FloatVector.fromArray(F, sums, to + 5 * ROWS + 16);
        FloatVector low6 = FloatVector.fromArray(F, sums, to + 6 * ROWS);
        FloatVector high6 = FloatVector.fromArray(F, sums, to + 6 * ROWS + 16);
        FloatVector low7 = FloatVector.fromArray(F, sums, to + 7 * ROWS);
        FloatVector high7 = FloatVector.fromArray(F, sums, to + 7 * ROWS + 16);
        for (int k = 0; k < columns; k++) {
            FloatVector low = FloatVector.fromArray(F, tile, from + k * ROWS);
            FloatVector high = FloatVector.fromArray(F, tile, from + k * ROWS + 16);
            FloatVector x0 = FloatVector.broadcast(F, x[xFrom + k]);
            low0 = x0.fma(low, low0);
            high0 = x0.fma(high, high0);
            FloatVector x1 = FloatVector.broadcast(F, x[xFrom + xStride + k]);
            low1 = x1.fma(low, low1);
            high1 = x1.fma(high, high1);
            FloatVector x2 = FloatVector.broadcast(F, x[xFrom + 2 * xStride + k]);
            low2 = x2.fma(low, low2);
            high2 = x2.fma(high, high2);
            FloatVector x3 = FloatVector.broadcast(F, x[xFrom + 3 * xStride + k]);
            low3 = x3.fma(low, low3);
            high3 = x3.fma(high, high3);
            FloatVector x4 = FloatVector.broadcast(F, x[xFrom + 4 * xStride + k]);
            low4 = x4.fma(low, low4);
            high4 = x4.fma(high, high4);
            FloatVector x5 = FloatVector.broadcast(F, x[xFrom + 5 * xStride + k]);
            low5 = x5.fma(low, low5);
            high5 = x5.fma(high, high5);
            FloatVector x6 = FloatVector.broadcast(F, x[xFrom + 6 * xStride + k]);
            low6 = x6.fma(low, low6);
            high6 = x6.fma(high, high6);
            FloatVector x7 = FloatVector.broadcast(F, x[xFrom + 7 * xStride + k]);
            low7 = x7.fma(low, low7);
            high7 = x7.fma(high, high7);
        }
        low0.intoArray(sums, to);
        high0.intoArray(sums, to + 16);
        low1.intoArray(sums, to + ROWS);
        high1.intoArray(sums, to + ROWS + 16);
        low2.intoArray(sums, to + 2 * ROWS);
        high2.intoArray(sums, to + 2 * ROWS + 16);
        low3.intoArray(sums, to + 3 * ROWS);
        high3.intoArray(sums, to + 3 * ROWS + 16);
        low4.intoArray(sums, to + 4 * ROWS);
        high4.intoArray(sums, to + 4 * ROWS + 16);
        low5.intoArray(sums, to + 5 * ROWS);
        high5.intoArray(sums, to + 5 * ROWS + 16);
        low6.intoArray(sums, to + 6 * ROWS);
        high6.intoArray(sums, to + 6 * ROWS + 16);
        low7.intoArray(sums, to + 7 * ROWS);
        high7.intoArray(sums, to + 7 * ROWS + 16);
    }

    private static void chain4(
            float[] tile, int from, int columns, float[] x, int xFrom, int xStride, float[] sums, int to) {
        FloatVector low0 = FloatVector.fromArray(F, sums, to);
        FloatVector high0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector low1 = FloatVector.fromArray(F, sums, to + ROWS);
        FloatVector high1 = FloatVector.fromArray(F, sums, to + ROWS + 16);
        FloatVector low2 = FloatVector.fromArray(F, sums, to + 2 * ROWS);
        FloatVector high2 = FloatVector.fromArray(F, sums, to + 2 * ROWS + 16);
        FloatVector low3 = FloatVector.fromArray(F, sums, to + 3 * ROWS);
        FloatVector high3 = FloatVector.fromArray(F, sums, to + 3 * ROWS + 16);
        for (int k = 0; k < columns; k++) {
            FloatVector low = FloatVector.fromArray(F, tile, from + k * ROWS);
            FloatVector high = FloatVector.fromArray(F, tile, from + k * ROWS + 16);
            FloatVector x0 = FloatVector.broadcast(F, x[xFrom + k]);
            low0 = x0.fma(low, low0);
            high0 = x0.fma(high, high0);
            FloatVector x1 = FloatVector.broadcast(F, x[xFrom + xStride + k]);
            low1 = x1.fma(low, low1);
            high1 = x1.fma(high, high1);
            FloatVector x2 = FloatVector.broadcast(F, x[xFrom + 2 * xStride + k]);
            low2 = x2.fma(low, low2);
            high2 = x2.fma(high, high2);
            FloatVector x3 = FloatVector.broadcast(F, x[xFrom + 3 * xStride + k]);
            low3 = x3.fma(low, low3);
            high3 = x3.fma(high, high3);
        }
        low0.intoArray(sums, to);
        high0.intoArray(sums, to + 16);
        low1.intoArray(sums, to + ROWS);
        high1.intoArray(sums, to + ROWS + 16);
        low2.intoArray(sums, to + 2 * ROWS);
        high2.intoArray(sums, to + 2 * ROWS + 16);
        low3.intoArray(sums, to + 3 * ROWS);
        high3.intoArray(sums, to + 3 * ROWS + 16);
    }

    private static void chain1(float[] tile, int from, int columns, float[] x, int xFrom, float[] sums, int to) {
        FloatVector low = FloatVector.fromArray(F, sums, to);
        FloatVector high = FloatVector.fromArray(F, sums, to + 16);
        for (int k = 0; k < columns; k++) {
            FloatVector xk = FloatVector.broadcast(F, x[xFrom + k]);
            low = xk.fma(FloatVector.fromArray(F, tile, from + k * ROWS), low);
            high = xk.fma(FloatVector.fromArray(F, tile, from + k * ROWS + 16), high);
        }
        low.intoArray(sums, to);
        high.intoArray(sums, to + 16);
    }

    // ---- Q8_0, and Q4_0 with float activations: chains a and b over integer-valued floats

    private static void blocks(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales();
        int all = w.columns() / BLOCK;
        for (int first = 0; first < all; first += FLOAT_BLOCKS) {
            int count = Math.min(FLOAT_BLOCKS, all - first);
            for (int i = 0; i < count; i++) {
                VectorTiles.quants(w, panel, first + i, tile, i * BLOCK * ROWS);
                VectorTiles.scales(w, panel, first + i, d, i * ROWS);
            }
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    if (x.quantised()) {
                        codeBlocks(count, tile, part * L, d, x, b, first, sums, b * ROWS + part * L);
                    } else {
                        for (int i = 0; i < count; i++) {
                            floatBlock(tile, i * BLOCK * ROWS + part * L, 16, d, i * ROWS + part * L, x, b, (first + i) * BLOCK,
                                    sums, b * ROWS + part * L);
                        }
                    }
                }
            }
        }
    }

    /** Some blocks of int8 codes: integers below 2^24 in floats, exact in any order. */
    private static void codeBlocks(
            int count, float[] tile, int from, float[] d, Activations x, int b, int first, float[] sums, int to) {
        int at = x.blockAt(b, first);
        for (int i = 0; i < count; i++) {
            block4(tile, from + i * BLOCK * ROWS, 16, d, from + i * ROWS, x.codes(), (at + i * GROUP) * BLOCK, BLOCK, BLOCK, BLOCK,
                    x.scales(), at + i * GROUP, sums, to);
        }
    }

    /** {@code 2 * half} columns of float activations from column {@code k}, of four rows or what is left of them. */
    static void floatBlock(
            float[] tile, int from, int half, float[] d, int dFrom, Activations x, int b, int k, float[] sums, int to) {
        int left = x.rows() - b;
        int stride = x.columns();
        block4(tile, from, half, d, dFrom, x.values(), b * stride + k,
                left > 1 ? stride : 0, left > 2 ? stride : 0, left > 3 ? stride : 0, ONES, 0, sums, to);
    }

    /**
     * Chains a and b of four rows over {@code 2 * half} columns of a tile; {@code sums = fma(d * dx, a + b, sums)}.
     *
     * @param step1 from row 0 of x to row 1, and so on
     */
    private static void block4(float[] tile, int from, int half, float[] d, int dFrom, float[] x, int xFrom,
            int step1, int step2, int step3, float[] dx, int dxAt, float[] sums, int to) {
        int from0 = xFrom;
        int from1 = from0 + step1;
        int from2 = from1 + step2;
        int from3 = from2 + step3;
        FloatVector lowA0 = FloatVector.zero(F);
        FloatVector highA0 = FloatVector.zero(F);
        FloatVector lowB0 = FloatVector.zero(F);
        FloatVector highB0 = FloatVector.zero(F);
        FloatVector lowA1 = FloatVector.zero(F);
        FloatVector highA1 = FloatVector.zero(F);
        FloatVector lowB1 = FloatVector.zero(F);
        FloatVector highB1 = FloatVector.zero(F);
        FloatVector lowA2 = FloatVector.zero(F);
        FloatVector highA2 = FloatVector.zero(F);
        FloatVector lowB2 = FloatVector.zero(F);
        FloatVector highB2 = FloatVector.zero(F);
        FloatVector lowA3 = FloatVector.zero(F);
        FloatVector highA3 = FloatVector.zero(F);
        FloatVector lowB3 = FloatVector.zero(F);
        FloatVector highB3 = FloatVector.zero(F);
        for (int j = 0; j < half; j++) {
            FloatVector lowA = FloatVector.fromArray(F, tile, from + j * ROWS);
            FloatVector highA = FloatVector.fromArray(F, tile, from + j * ROWS + 16);
            FloatVector lowB = FloatVector.fromArray(F, tile, from + (j + half) * ROWS);
            FloatVector highB = FloatVector.fromArray(F, tile, from + (j + half) * ROWS + 16);
            FloatVector a0 = FloatVector.broadcast(F, x[from0 + j]);
            FloatVector b0 = FloatVector.broadcast(F, x[from0 + j + half]);
            lowA0 = a0.fma(lowA, lowA0);
            highA0 = a0.fma(highA, highA0);
            lowB0 = b0.fma(lowB, lowB0);
            highB0 = b0.fma(highB, highB0);
            FloatVector a1 = FloatVector.broadcast(F, x[from1 + j]);
            FloatVector b1 = FloatVector.broadcast(F, x[from1 + j + half]);
            lowA1 = a1.fma(lowA, lowA1);
            highA1 = a1.fma(highA, highA1);
            lowB1 = b1.fma(lowB, lowB1);
            highB1 = b1.fma(highB, highB1);
            FloatVector a2 = FloatVector.broadcast(F, x[from2 + j]);
            FloatVector b2 = FloatVector.broadcast(F, x[from2 + j + half]);
            lowA2 = a2.fma(lowA, lowA2);
            highA2 = a2.fma(highA, highA2);
            lowB2 = b2.fma(lowB, lowB2);
            highB2 = b2.fma(highB, highB2);
            FloatVector a3 = FloatVector.broadcast(F, x[from3 + j]);
            FloatVector b3 = FloatVector.broadcast(F, x[from3 + j + half]);
            lowA3 = a3.fma(lowA, lowA3);
            highA3 = a3.fma(highA, highA3);
            lowB3 = b3.fma(lowB, lowB3);
            highB3 = b3.fma(highB, highB3);
        }
        FloatVector lowD = FloatVector.fromArray(F, d, dFrom);
        FloatVector highD = FloatVector.fromArray(F, d, dFrom + 16);
        lowD.mul(dx[dxAt]).fma(lowA0.add(lowB0), FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
        highD.mul(dx[dxAt]).fma(highA0.add(highB0), FloatVector.fromArray(F, sums, to + 16)).intoArray(sums, to + 16);
        lowD.mul(dx[dxAt + 1]).fma(lowA1.add(lowB1), FloatVector.fromArray(F, sums, to + 32)).intoArray(sums, to + 32);
        highD.mul(dx[dxAt + 1]).fma(highA1.add(highB1), FloatVector.fromArray(F, sums, to + 48)).intoArray(sums, to + 48);
        lowD.mul(dx[dxAt + 2]).fma(lowA2.add(lowB2), FloatVector.fromArray(F, sums, to + 64)).intoArray(sums, to + 64);
        highD.mul(dx[dxAt + 2]).fma(highA2.add(highB2), FloatVector.fromArray(F, sums, to + 80)).intoArray(sums, to + 80);
        lowD.mul(dx[dxAt + 3]).fma(lowA3.add(lowB3), FloatVector.fromArray(F, sums, to + 96)).intoArray(sums, to + 96);
        highD.mul(dx[dxAt + 3]).fma(highA3.add(highB3), FloatVector.fromArray(F, sums, to + 112)).intoArray(sums, to + 112);
    }

    // ---- Q4_0 with int8 activations: 16-bit lanes

    private static void pairs(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        int[] tiles = scratch.pairTiles();
        float[] d = scratch.scales();
        int all = w.columns() / BLOCK;
        for (int first = 0; first < all; first += PAIR_BLOCKS) {
            int count = Math.min(PAIR_BLOCKS, all - first);
            for (int i = 0; i < count; i++) {
                VectorTiles.nibbles(w, panel, first + i, scratch.columnTile());
                VectorPairs.pair(scratch.columnTile(), 8, tiles, i * VectorPairs.TILE);
                VectorTiles.scales(w, panel, first + i, d, i * ROWS);
            }
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int at = x.blockAt(b, first);
                    VectorPairs.four(count, tiles, part * L, d, part * L, x.columnPairs(), at * VectorPairs.PAIRS, x.scales(), at,
                            sums, b * ROWS + part * L);
                }
            }
        }
    }
}

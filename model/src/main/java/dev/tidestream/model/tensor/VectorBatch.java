package dev.tidestream.model.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.VectorShapes.S;

/**
 * The kernels of many activation rows: a block of the panel is unpacked once into a tile that stays in the first-level cache,
 * then every row of x runs over it. The sums of the panel, (b, 32), wait in scratch between blocks. Rounding is that of
 * {@link VectorDecode}, so a row has the same bits in a batch and alone.
 */
final class VectorBatch {
    /** Columns of a tile of float weights. */
    private static final int TILE = 32;

    private VectorBatch() {}

    /** One panel, for all rows of x; the sums are left in {@code scratch.sums()}. */
    static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch) {
        float[] sums = scratch.clearedSums(x.rows() * ROWS);
        long at = w.panelOffset(panel);
        switch (w.format()) {
            case F32, F16, BF16 -> chains(w, at, x, scratch.tile(), sums);
            case Q8_0 -> {
                if (x.quantised()) {
                    codes(w, at, x, scratch, sums);
                } else {
                    blocks(w, at, x, scratch, sums);
                }
            }
            case Q4_0 -> {
                if (x.quantised()) {
                    nibbles(w, at, x, scratch, sums);
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
        int b = 0;
        for (; b + 4 <= x.rows(); b += 4) {
            for (int part = 0; part < PARTS; part++) {
                chain4(tile, part * L, columns, x.values(), b * x.columns() + k, x.columns(), sums, b * ROWS + part * L);
            }
        }
        for (; b < x.rows(); b++) {
            for (int part = 0; part < PARTS; part++) {
                chain1(tile, part * L, columns, x.values(), b * x.columns() + k, sums, b * ROWS + part * L);
            }
        }
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
            FloatVector x1 = FloatVector.broadcast(F, x[xFrom + xStride + k]);
            FloatVector x2 = FloatVector.broadcast(F, x[xFrom + 2 * xStride + k]);
            FloatVector x3 = FloatVector.broadcast(F, x[xFrom + 3 * xStride + k]);
            low0 = x0.fma(low, low0);
            high0 = x0.fma(high, high0);
            low1 = x1.fma(low, low1);
            high1 = x1.fma(high, high1);
            low2 = x2.fma(low, low2);
            high2 = x2.fma(high, high2);
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

    // ---- quantised weights and float activations: chains a and b over integer-valued floats

    private static void blocks(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales();
        float[] dots = scratch.dots();
        for (int block = 0; block < w.columns() / BLOCK; block++) {
            VectorTiles.quants(w, panel, block, tile);
            VectorTiles.scales(w, panel, block, d);
            for (int part = 0; part < PARTS; part++) {
                int b = 0;
                for (; b + 2 <= x.rows(); b += 2) {
                    int xFrom = b * x.columns() + block * BLOCK;
                    block2(tile, part * L, 16, x.values(), xFrom, x.columns(), dots);
                    scale(dots, 0, d, part * L, 1f, sums, b * ROWS + part * L);
                    scale(dots, ROWS, d, part * L, 1f, sums, (b + 1) * ROWS + part * L);
                }
                if (b < x.rows()) {
                    block1(tile, part * L, 16, x.values(), b * x.columns() + block * BLOCK, dots);
                    scale(dots, 0, d, part * L, 1f, sums, b * ROWS + part * L);
                }
            }
        }
    }

    // ---- quantised weights and int8 activations: integers below 2^24 in floats, exact in any order

    private static void codes(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales();
        for (int block = 0; block < w.columns() / BLOCK; block++) {
            VectorTiles.quants(w, panel, block, tile);
            VectorTiles.scales(w, panel, block, d);
            codeTile(tile, d, block, x, scratch, sums);
        }
    }

    /** {@code sums = fma(d * dx, dot, sums)} with the exact dot products of a tile of integers, for all rows of x. */
    static void codeTile(float[] tile, float[] d, int block, Activations x, Scratch scratch, float[] sums) {
        float[] dots = scratch.dots();
        int stride = x.codeStride();
        for (int part = 0; part < PARTS; part++) {
            int b = 0;
            for (; b + 4 <= x.rows(); b += 4) {
                Arrays.fill(dots, 0f);
                chain4(tile, part * L, BLOCK, x.codes(), x.codesAt(b, block), stride, dots, 0);
                for (int i = 0; i < 4; i++) {
                    scale(dots, i * ROWS, d, part * L, x.scales()[x.blockAt(b + i, block)], sums, (b + i) * ROWS + part * L);
                }
            }
            for (; b < x.rows(); b++) {
                block1(tile, part * L, 16, x.codes(), x.codesAt(b, block), dots);
                scale(dots, 0, d, part * L, x.scales()[x.blockAt(b, block)], sums, b * ROWS + part * L);
            }
        }
    }

    /** Chains a and b of two rows over {@code 2 * half} columns of a tile; leaves {@code a + b}. */
    static void block2(float[] tile, int from, int half, float[] x, int xFrom, int xStride, float[] dots) {
        FloatVector lowA0 = FloatVector.zero(F);
        FloatVector highA0 = FloatVector.zero(F);
        FloatVector lowB0 = FloatVector.zero(F);
        FloatVector highB0 = FloatVector.zero(F);
        FloatVector lowA1 = FloatVector.zero(F);
        FloatVector highA1 = FloatVector.zero(F);
        FloatVector lowB1 = FloatVector.zero(F);
        FloatVector highB1 = FloatVector.zero(F);
        for (int j = 0; j < half; j++) {
            FloatVector lowA = FloatVector.fromArray(F, tile, from + j * ROWS);
            FloatVector highA = FloatVector.fromArray(F, tile, from + j * ROWS + 16);
            FloatVector lowB = FloatVector.fromArray(F, tile, from + (j + half) * ROWS);
            FloatVector highB = FloatVector.fromArray(F, tile, from + (j + half) * ROWS + 16);
            FloatVector a0 = FloatVector.broadcast(F, x[xFrom + j]);
            FloatVector b0 = FloatVector.broadcast(F, x[xFrom + j + half]);
            FloatVector a1 = FloatVector.broadcast(F, x[xFrom + xStride + j]);
            FloatVector b1 = FloatVector.broadcast(F, x[xFrom + xStride + j + half]);
            lowA0 = a0.fma(lowA, lowA0);
            highA0 = a0.fma(highA, highA0);
            lowB0 = b0.fma(lowB, lowB0);
            highB0 = b0.fma(highB, highB0);
            lowA1 = a1.fma(lowA, lowA1);
            highA1 = a1.fma(highA, highA1);
            lowB1 = b1.fma(lowB, lowB1);
            highB1 = b1.fma(highB, highB1);
        }
        lowA0.add(lowB0).intoArray(dots, 0);
        highA0.add(highB0).intoArray(dots, 16);
        lowA1.add(lowB1).intoArray(dots, ROWS);
        highA1.add(highB1).intoArray(dots, ROWS + 16);
    }

    static void block1(float[] tile, int from, int half, float[] x, int xFrom, float[] dots) {
        FloatVector lowA = FloatVector.zero(F);
        FloatVector highA = FloatVector.zero(F);
        FloatVector lowB = FloatVector.zero(F);
        FloatVector highB = FloatVector.zero(F);
        for (int j = 0; j < half; j++) {
            FloatVector a = FloatVector.broadcast(F, x[xFrom + j]);
            FloatVector b = FloatVector.broadcast(F, x[xFrom + j + half]);
            lowA = a.fma(FloatVector.fromArray(F, tile, from + j * ROWS), lowA);
            highA = a.fma(FloatVector.fromArray(F, tile, from + j * ROWS + 16), highA);
            lowB = b.fma(FloatVector.fromArray(F, tile, from + (j + half) * ROWS), lowB);
            highB = b.fma(FloatVector.fromArray(F, tile, from + (j + half) * ROWS + 16), highB);
        }
        lowA.add(lowB).intoArray(dots, 0);
        highA.add(highB).intoArray(dots, 16);
    }

    /** {@code sums = fma(d * dx, dots, sums)} for the two halves of a part. */
    static void scale(float[] dots, int dotsFrom, float[] d, int dFrom, float dx, float[] sums, int to) {
        FloatVector.fromArray(F, d, dFrom).mul(dx)
                .fma(FloatVector.fromArray(F, dots, dotsFrom), FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
        FloatVector.fromArray(F, d, dFrom + 16).mul(dx)
                .fma(FloatVector.fromArray(F, dots, dotsFrom + 16), FloatVector.fromArray(F, sums, to + 16))
                .intoArray(sums, to + 16);
    }

    // ---- Q4_0 with int8 activations: 16-bit lanes, 32 columns at a time, modulo 2^16

    private static void nibbles(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        int blocks = w.columns() / BLOCK;
        short[] tile = scratch.shortTile();
        float[] d = scratch.scales();
        short[] dots = scratch.shortDots();
        for (int block = 0; block < blocks; block++) {
            VectorTiles.nibbles(w, panel, block, tile);
            VectorTiles.scales(w, panel, block, d);
            for (int part = 0; part < PARTS; part++) {
                int b = 0;
                for (; b + 8 <= x.rows(); b += 8) {
                    nibbles8(tile, part * 2 * L, x.codePairs(), x.codesAt(b, block), x.codeStride(), dots);
                    for (int i = 0; i < 8; i++) {
                        int xBlock = x.blockAt(b + i, block);
                        scaleShorts(dots, i * ROWS, x.sums()[xBlock], d, part * L, x.scales()[xBlock], sums,
                                (b + i) * ROWS + part * L);
                    }
                }
                for (; b < x.rows(); b++) {
                    int xBlock = x.blockAt(b, block);
                    nibbles1(tile, part * 2 * L, x.codePairs(), x.codesAt(b, block), dots);
                    scaleShorts(dots, 0, x.sums()[xBlock], d, part * L, x.scales()[xBlock], sums, b * ROWS + part * L);
                }
            }
        }
    }

    static void nibbles8(short[] tile, int from, int[] x, int xFrom, int xStride, short[] dots) {
        ShortVector sum0 = ShortVector.zero(S);
        ShortVector sum1 = ShortVector.zero(S);
        ShortVector sum2 = ShortVector.zero(S);
        ShortVector sum3 = ShortVector.zero(S);
        ShortVector sum4 = ShortVector.zero(S);
        ShortVector sum5 = ShortVector.zero(S);
        ShortVector sum6 = ShortVector.zero(S);
        ShortVector sum7 = ShortVector.zero(S);
        for (int j = 0; j < BLOCK; j++) {
            ShortVector q = ShortVector.fromArray(S, tile, from + j * ROWS);
            int at = xFrom + j;
            sum0 = sum0.add(q.mul(IntVector.broadcast(I, x[at]).reinterpretAsShorts()));
            sum1 = sum1.add(q.mul(IntVector.broadcast(I, x[at + xStride]).reinterpretAsShorts()));
            sum2 = sum2.add(q.mul(IntVector.broadcast(I, x[at + 2 * xStride]).reinterpretAsShorts()));
            sum3 = sum3.add(q.mul(IntVector.broadcast(I, x[at + 3 * xStride]).reinterpretAsShorts()));
            sum4 = sum4.add(q.mul(IntVector.broadcast(I, x[at + 4 * xStride]).reinterpretAsShorts()));
            sum5 = sum5.add(q.mul(IntVector.broadcast(I, x[at + 5 * xStride]).reinterpretAsShorts()));
            sum6 = sum6.add(q.mul(IntVector.broadcast(I, x[at + 6 * xStride]).reinterpretAsShorts()));
            sum7 = sum7.add(q.mul(IntVector.broadcast(I, x[at + 7 * xStride]).reinterpretAsShorts()));
        }
        sum0.intoArray(dots, 0);
        sum1.intoArray(dots, ROWS);
        sum2.intoArray(dots, 2 * ROWS);
        sum3.intoArray(dots, 3 * ROWS);
        sum4.intoArray(dots, 4 * ROWS);
        sum5.intoArray(dots, 5 * ROWS);
        sum6.intoArray(dots, 6 * ROWS);
        sum7.intoArray(dots, 7 * ROWS);
    }

    static void nibbles1(short[] tile, int from, int[] x, int xFrom, short[] dots) {
        ShortVector sum = ShortVector.zero(S);
        for (int j = 0; j < BLOCK; j++) {
            ShortVector q = ShortVector.fromArray(S, tile, from + j * ROWS);
            sum = sum.add(q.mul(IntVector.broadcast(I, x[xFrom + j]).reinterpretAsShorts()));
        }
        sum.intoArray(dots, 0);
    }

    private static void scaleShorts(
            short[] dots, int dotsFrom, int xSum, float[] d, int dFrom, float dx, float[] sums, int to) {
        IntVector pair = ShortVector.fromArray(S, dots, dotsFrom).sub((short) (8 * xSum)).reinterpretAsInts();
        FloatVector.fromArray(F, d, dFrom).mul(dx)
                .fma(VectorTiles.toFloat(VectorHalf.lowInt(pair)), FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
        FloatVector.fromArray(F, d, dFrom + 16).mul(dx)
                .fma(VectorTiles.toFloat(VectorHalf.highInt(pair)), FloatVector.fromArray(F, sums, to + 16))
                .intoArray(sums, to + 16);
    }
}

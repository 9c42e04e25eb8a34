package dev.tidestream.model.kernels.vector.batch;

import jdk.incubator.vector.FloatVector;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;

/**
 * The inner loops of {@link VectorBatch} in floats. Eight rows times two vectors (or four rows, two vectors and two chains) are
 * sixteen sums in flight: twice what the latency of a multiply-add wants, and each load feeds at least two of them.
 */
final class VectorFloats {
    private VectorFloats() {}

    static void chain8(
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

    static void chain4(
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

    static void chain1(float[] tile, int from, int columns, float[] x, int xFrom, float[] sums, int to) {
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

    /**
     * {@code sums = fma(d * dx, dot, sums)} with the dot products of a tile of integers and two groups of codes.
     *
     * @param at where the first group has its scales, and a 32nd of where it has its codes
     * @param at4 the same of the second group
     */
    static void codes8(float[] tile, int from, float[] d, int dFrom, float[] x, float[] dx, int at, int at4,
            float[] sums, int to) {
        FloatVector low0 = FloatVector.zero(F);
        FloatVector high0 = FloatVector.zero(F);
        FloatVector low1 = FloatVector.zero(F);
        FloatVector high1 = FloatVector.zero(F);
        FloatVector low2 = FloatVector.zero(F);
        FloatVector high2 = FloatVector.zero(F);
        FloatVector low3 = FloatVector.zero(F);
        FloatVector high3 = FloatVector.zero(F);
        FloatVector low4 = FloatVector.zero(F);
        FloatVector high4 = FloatVector.zero(F);
        FloatVector low5 = FloatVector.zero(F);
        FloatVector high5 = FloatVector.zero(F);
        FloatVector low6 = FloatVector.zero(F);
        FloatVector high6 = FloatVector.zero(F);
        FloatVector low7 = FloatVector.zero(F);
        FloatVector high7 = FloatVector.zero(F);
        for (int k = 0; k < BLOCK; k++) {
            FloatVector low = FloatVector.fromArray(F, tile, from + k * ROWS);
            FloatVector high = FloatVector.fromArray(F, tile, from + k * ROWS + 16);
            FloatVector x0 = FloatVector.broadcast(F, x[at * BLOCK + k]);
            low0 = x0.fma(low, low0);
            high0 = x0.fma(high, high0);
            FloatVector x1 = FloatVector.broadcast(F, x[at * BLOCK + k + 32]);
            low1 = x1.fma(low, low1);
            high1 = x1.fma(high, high1);
            FloatVector x2 = FloatVector.broadcast(F, x[at * BLOCK + k + 64]);
            low2 = x2.fma(low, low2);
            high2 = x2.fma(high, high2);
            FloatVector x3 = FloatVector.broadcast(F, x[at * BLOCK + k + 96]);
            low3 = x3.fma(low, low3);
            high3 = x3.fma(high, high3);
            FloatVector x4 = FloatVector.broadcast(F, x[at4 * BLOCK + k]);
            low4 = x4.fma(low, low4);
            high4 = x4.fma(high, high4);
            FloatVector x5 = FloatVector.broadcast(F, x[at4 * BLOCK + k + 32]);
            low5 = x5.fma(low, low5);
            high5 = x5.fma(high, high5);
            FloatVector x6 = FloatVector.broadcast(F, x[at4 * BLOCK + k + 64]);
            low6 = x6.fma(low, low6);
            high6 = x6.fma(high, high6);
            FloatVector x7 = FloatVector.broadcast(F, x[at4 * BLOCK + k + 96]);
            low7 = x7.fma(low, low7);
            high7 = x7.fma(high, high7);
        }
        FloatVector lowD = FloatVector.fromArray(F, d, dFrom);
        FloatVector highD = FloatVector.fromArray(F, d, dFrom + 16);
        lowD.mul(dx[at]).fma(low0, FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
        highD.mul(dx[at]).fma(high0, FloatVector.fromArray(F, sums, to + 16)).intoArray(sums, to + 16);
        lowD.mul(dx[at + 1]).fma(low1, FloatVector.fromArray(F, sums, to + 32)).intoArray(sums, to + 32);
        highD.mul(dx[at + 1]).fma(high1, FloatVector.fromArray(F, sums, to + 48)).intoArray(sums, to + 48);
        lowD.mul(dx[at + 2]).fma(low2, FloatVector.fromArray(F, sums, to + 64)).intoArray(sums, to + 64);
        highD.mul(dx[at + 2]).fma(high2, FloatVector.fromArray(F, sums, to + 80)).intoArray(sums, to + 80);
        lowD.mul(dx[at + 3]).fma(low3, FloatVector.fromArray(F, sums, to + 96)).intoArray(sums, to + 96);
        highD.mul(dx[at + 3]).fma(high3, FloatVector.fromArray(F, sums, to + 112)).intoArray(sums, to + 112);
        lowD.mul(dx[at4]).fma(low4, FloatVector.fromArray(F, sums, to + 128)).intoArray(sums, to + 128);
        highD.mul(dx[at4]).fma(high4, FloatVector.fromArray(F, sums, to + 144)).intoArray(sums, to + 144);
        lowD.mul(dx[at4 + 1]).fma(low5, FloatVector.fromArray(F, sums, to + 160)).intoArray(sums, to + 160);
        highD.mul(dx[at4 + 1]).fma(high5, FloatVector.fromArray(F, sums, to + 176)).intoArray(sums, to + 176);
        lowD.mul(dx[at4 + 2]).fma(low6, FloatVector.fromArray(F, sums, to + 192)).intoArray(sums, to + 192);
        highD.mul(dx[at4 + 2]).fma(high6, FloatVector.fromArray(F, sums, to + 208)).intoArray(sums, to + 208);
        lowD.mul(dx[at4 + 3]).fma(low7, FloatVector.fromArray(F, sums, to + 224)).intoArray(sums, to + 224);
        highD.mul(dx[at4 + 3]).fma(high7, FloatVector.fromArray(F, sums, to + 240)).intoArray(sums, to + 240);
    }

    /**
     * Chains a and b of four rows over {@code 2 * half} columns of a tile; {@code sums = fma(d * dx, a + b, sums)}.
     *
     * @param step1 from row 0 of x to row 1, and so on
     */
    static void block4(float[] tile, int from, int half, float[] d, int dFrom, float[] x, int xFrom,
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
}

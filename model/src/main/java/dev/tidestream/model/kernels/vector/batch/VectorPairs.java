package dev.tidestream.model.kernels.vector.batch;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.SuperBlockNumbers;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

/**
 * The inner loops of quants of up to six bits times int8 quants, for a group of four rows of x and some blocks of a panel.
 *
 * <p>A 32-bit lane is a row of the panel; its two 16-bit halves are two neighbouring columns, in the tile and in
 * {@link VectorQuants#columnPairs}. So a pair of codes is broadcast as a plain 32-bit load and feeds two multiplications (rows
 * 0–15 and rows 16–31), and sums stay in 16 bits: a half adds 16 products of at most 15 · 127 (Q4_K) or 16 · 127 (Q5_K, 16 taken
 * off), or 8 products of at most 32 · 127 (Q6_K), which is 32512 at most. At the end of a block the halves are added in 32 bits.
 *
 * <p>The three methods are alike and written out: vectors in arrays, or passed to a method that C2 does not inline, are boxed
 * (docs/adr/0005-k-quant-panels.md). Sums stay in registers from block to block. The
 * limit are the two ports that multiply: docs/lab/2026-11-24-prefill-and-batches.md.
 */
public final class VectorPairs {
    /** Pairs of columns of a block. */
    static final int PAIRS = BLOCK / 2;

    /** Ints of a block's tile, (16 pairs of columns, 32 rows). */
    static final int TILE = Scratch.PAIR_TILE;

    private VectorPairs() {}

    /**
     * Q4_0, 8 taken off: the dot product of a block is at most 32 · 8 · 127, so the two halves are added in 16 bits.
     * {@code sums = fma(d * dx, dot, sums)}.
     *
     * @param tile (blocks, 16, 32) from {@code tileAt}
     * @param d (blocks, 32) from {@code dAt}
     * @param x (blocks, 4, 16) pairs of codes from {@code xAt}
     * @param dx (blocks, 4) from {@code dxAt}
     * @param sums (4, 32) from {@code to}
     */
    static void four(int blocks, int[] tile, int tileAt, float[] d, int dAt, int[] x, int xFrom, float[] dx, int dxAt,
            float[] sums, int to) {
        FloatVector lowSum0 = FloatVector.fromArray(F, sums, to);
        FloatVector highSum0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector lowSum1 = FloatVector.fromArray(F, sums, to + 32);
        FloatVector highSum1 = FloatVector.fromArray(F, sums, to + 48);
        FloatVector lowSum2 = FloatVector.fromArray(F, sums, to + 64);
        FloatVector highSum2 = FloatVector.fromArray(F, sums, to + 80);
        FloatVector lowSum3 = FloatVector.fromArray(F, sums, to + 96);
        FloatVector highSum3 = FloatVector.fromArray(F, sums, to + 112);
        for (int block = 0; block < blocks; block++) {
            int at = tileAt + block * TILE;
            int xAt = xFrom + block * GROUP * PAIRS;
            ShortVector low0 = ShortVector.zero(S);
            ShortVector high0 = ShortVector.zero(S);
            ShortVector low1 = ShortVector.zero(S);
            ShortVector high1 = ShortVector.zero(S);
            ShortVector low2 = ShortVector.zero(S);
            ShortVector high2 = ShortVector.zero(S);
            ShortVector low3 = ShortVector.zero(S);
            ShortVector high3 = ShortVector.zero(S);
            for (int j = 0; j < PAIRS; j += 2) {
                ShortVector low = IntVector.fromArray(I, tile, at + j * ROWS).reinterpretAsShorts();
                ShortVector high = IntVector.fromArray(I, tile, at + j * ROWS + 16).reinterpretAsShorts();
                ShortVector x0 = IntVector.broadcast(I, x[xAt + j]).reinterpretAsShorts();
                low0 = low0.add(low.mul(x0));
                high0 = high0.add(high.mul(x0));
                ShortVector x1 = IntVector.broadcast(I, x[xAt + j + 16]).reinterpretAsShorts();
                low1 = low1.add(low.mul(x1));
                high1 = high1.add(high.mul(x1));
                ShortVector x2 = IntVector.broadcast(I, x[xAt + j + 32]).reinterpretAsShorts();
                low2 = low2.add(low.mul(x2));
                high2 = high2.add(high.mul(x2));
                ShortVector x3 = IntVector.broadcast(I, x[xAt + j + 48]).reinterpretAsShorts();
                low3 = low3.add(low.mul(x3));
                high3 = high3.add(high.mul(x3));
                ShortVector lowb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS).reinterpretAsShorts();
                ShortVector highb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS + 16).reinterpretAsShorts();
                ShortVector x0b = IntVector.broadcast(I, x[xAt + j + 1]).reinterpretAsShorts();
                low0 = low0.add(lowb.mul(x0b));
                high0 = high0.add(highb.mul(x0b));
                ShortVector x1b = IntVector.broadcast(I, x[xAt + j + 17]).reinterpretAsShorts();
                low1 = low1.add(lowb.mul(x1b));
                high1 = high1.add(highb.mul(x1b));
                ShortVector x2b = IntVector.broadcast(I, x[xAt + j + 33]).reinterpretAsShorts();
                low2 = low2.add(lowb.mul(x2b));
                high2 = high2.add(highb.mul(x2b));
                ShortVector x3b = IntVector.broadcast(I, x[xAt + j + 49]).reinterpretAsShorts();
                low3 = low3.add(lowb.mul(x3b));
                high3 = high3.add(highb.mul(x3b));
            }
            FloatVector lowD = FloatVector.fromArray(F, d, dAt + block * ROWS);
            FloatVector highD = FloatVector.fromArray(F, d, dAt + block * ROWS + 16);
            int dxBlock = dxAt + block * GROUP;
            FloatVector dx0 = FloatVector.broadcast(F, dx[dxBlock]);
            lowSum0 = lowD.mul(dx0).fma(low0.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), lowSum0);
            highSum0 = highD.mul(dx0).fma(high0.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), highSum0);
            FloatVector dx1 = FloatVector.broadcast(F, dx[dxBlock + 1]);
            lowSum1 = lowD.mul(dx1).fma(low1.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), lowSum1);
            highSum1 = highD.mul(dx1).fma(high1.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), highSum1);
            FloatVector dx2 = FloatVector.broadcast(F, dx[dxBlock + 2]);
            lowSum2 = lowD.mul(dx2).fma(low2.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), lowSum2);
            highSum2 = highD.mul(dx2).fma(high2.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), highSum2);
            FloatVector dx3 = FloatVector.broadcast(F, dx[dxBlock + 3]);
            lowSum3 = lowD.mul(dx3).fma(low3.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), lowSum3);
            highSum3 = highD.mul(dx3).fma(high3.reinterpretAsInts().mul(0x10001).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), highSum3);
        }
        lowSum0.intoArray(sums, to);
        highSum0.intoArray(sums, to + 16);
        lowSum1.intoArray(sums, to + 32);
        highSum1.intoArray(sums, to + 48);
        lowSum2.intoArray(sums, to + 64);
        highSum2.intoArray(sums, to + 80);
        lowSum3.intoArray(sums, to + 96);
        highSum3.intoArray(sums, to + 112);
    }

    /**
     * Q4_K and Q5_K: {@code sums = fma(d * dx, scale * dot, sums)}, then {@code sums = fma(dmin * dx, min * -n, sums)}.
     *
     * @param minusCentre what was taken off the integers of the tile, negative
     * @param w the scales of the super-block
     * @param part first row of the panel
     * @param minusN (blocks, 4) sums of codes, negative, from {@code dxAt}; the rest as in {@link #four}
     */
    static void minima(float minusCentre, int blocks, int[] tile, int tileAt, SuperBlockNumbers w, int part, int[] x,
            int xFrom, float[] dx, float[] minusN, int dxAt, float[] sums, int to) {
        FloatVector lowSum0 = FloatVector.fromArray(F, sums, to);
        FloatVector highSum0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector lowSum1 = FloatVector.fromArray(F, sums, to + 32);
        FloatVector highSum1 = FloatVector.fromArray(F, sums, to + 48);
        FloatVector lowSum2 = FloatVector.fromArray(F, sums, to + 64);
        FloatVector highSum2 = FloatVector.fromArray(F, sums, to + 80);
        FloatVector lowSum3 = FloatVector.fromArray(F, sums, to + 96);
        FloatVector highSum3 = FloatVector.fromArray(F, sums, to + 112);
        for (int block = 0; block < blocks; block++) {
            int at = tileAt + block * TILE;
            int xAt = xFrom + block * GROUP * PAIRS;
            ShortVector low0 = ShortVector.zero(S);
            ShortVector high0 = ShortVector.zero(S);
            ShortVector low1 = ShortVector.zero(S);
            ShortVector high1 = ShortVector.zero(S);
            ShortVector low2 = ShortVector.zero(S);
            ShortVector high2 = ShortVector.zero(S);
            ShortVector low3 = ShortVector.zero(S);
            ShortVector high3 = ShortVector.zero(S);
            for (int j = 0; j < PAIRS; j += 2) {
                ShortVector low = IntVector.fromArray(I, tile, at + j * ROWS).reinterpretAsShorts();
                ShortVector high = IntVector.fromArray(I, tile, at + j * ROWS + 16).reinterpretAsShorts();
                ShortVector x0 = IntVector.broadcast(I, x[xAt + j]).reinterpretAsShorts();
                low0 = low0.add(low.mul(x0));
                high0 = high0.add(high.mul(x0));
                ShortVector x1 = IntVector.broadcast(I, x[xAt + j + 16]).reinterpretAsShorts();
                low1 = low1.add(low.mul(x1));
                high1 = high1.add(high.mul(x1));
                ShortVector x2 = IntVector.broadcast(I, x[xAt + j + 32]).reinterpretAsShorts();
                low2 = low2.add(low.mul(x2));
                high2 = high2.add(high.mul(x2));
                ShortVector x3 = IntVector.broadcast(I, x[xAt + j + 48]).reinterpretAsShorts();
                low3 = low3.add(low.mul(x3));
                high3 = high3.add(high.mul(x3));
                ShortVector lowb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS).reinterpretAsShorts();
                ShortVector highb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS + 16).reinterpretAsShorts();
                ShortVector x0b = IntVector.broadcast(I, x[xAt + j + 1]).reinterpretAsShorts();
                low0 = low0.add(lowb.mul(x0b));
                high0 = high0.add(highb.mul(x0b));
                ShortVector x1b = IntVector.broadcast(I, x[xAt + j + 17]).reinterpretAsShorts();
                low1 = low1.add(lowb.mul(x1b));
                high1 = high1.add(highb.mul(x1b));
                ShortVector x2b = IntVector.broadcast(I, x[xAt + j + 33]).reinterpretAsShorts();
                low2 = low2.add(lowb.mul(x2b));
                high2 = high2.add(highb.mul(x2b));
                ShortVector x3b = IntVector.broadcast(I, x[xAt + j + 49]).reinterpretAsShorts();
                low3 = low3.add(lowb.mul(x3b));
                high3 = high3.add(highb.mul(x3b));
            }
            FloatVector lowD = FloatVector.fromArray(F, w.d, part);
            FloatVector highD = FloatVector.fromArray(F, w.d, part + 16);
            FloatVector lowDmin = FloatVector.fromArray(F, w.dmin, part);
            FloatVector highDmin = FloatVector.fromArray(F, w.dmin, part + 16);
            FloatVector lowScale = FloatVector.fromArray(F, w.scales, part + block * ROWS);
            FloatVector highScale = FloatVector.fromArray(F, w.scales, part + block * ROWS + 16);
            FloatVector lowMin = FloatVector.fromArray(F, w.mins, part + block * ROWS);
            FloatVector highMin = FloatVector.fromArray(F, w.mins, part + block * ROWS + 16);
            int dxBlock = dxAt + block * GROUP;
            IntVector pair;
            FloatVector dx0 = FloatVector.broadcast(F, dx[dxBlock]);
            FloatVector minus0 = FloatVector.broadcast(F, minusN[dxBlock]);
            FloatVector back0 = minus0.mul(minusCentre);
            pair = low0.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            lowSum0 = lowD.mul(dx0).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back0).mul(lowScale), lowSum0);
            lowSum0 = lowDmin.mul(dx0).fma(lowMin.mul(minus0), lowSum0);
            pair = high0.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            highSum0 = highD.mul(dx0).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back0).mul(highScale), highSum0);
            highSum0 = highDmin.mul(dx0).fma(highMin.mul(minus0), highSum0);
            FloatVector dx1 = FloatVector.broadcast(F, dx[dxBlock + 1]);
            FloatVector minus1 = FloatVector.broadcast(F, minusN[dxBlock + 1]);
            FloatVector back1 = minus1.mul(minusCentre);
            pair = low1.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            lowSum1 = lowD.mul(dx1).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back1).mul(lowScale), lowSum1);
            lowSum1 = lowDmin.mul(dx1).fma(lowMin.mul(minus1), lowSum1);
            pair = high1.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            highSum1 = highD.mul(dx1).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back1).mul(highScale), highSum1);
            highSum1 = highDmin.mul(dx1).fma(highMin.mul(minus1), highSum1);
            FloatVector dx2 = FloatVector.broadcast(F, dx[dxBlock + 2]);
            FloatVector minus2 = FloatVector.broadcast(F, minusN[dxBlock + 2]);
            FloatVector back2 = minus2.mul(minusCentre);
            pair = low2.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            lowSum2 = lowD.mul(dx2).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back2).mul(lowScale), lowSum2);
            lowSum2 = lowDmin.mul(dx2).fma(lowMin.mul(minus2), lowSum2);
            pair = high2.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            highSum2 = highD.mul(dx2).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back2).mul(highScale), highSum2);
            highSum2 = highDmin.mul(dx2).fma(highMin.mul(minus2), highSum2);
            FloatVector dx3 = FloatVector.broadcast(F, dx[dxBlock + 3]);
            FloatVector minus3 = FloatVector.broadcast(F, minusN[dxBlock + 3]);
            FloatVector back3 = minus3.mul(minusCentre);
            pair = low3.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            lowSum3 = lowD.mul(dx3).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back3).mul(lowScale), lowSum3);
            lowSum3 = lowDmin.mul(dx3).fma(lowMin.mul(minus3), lowSum3);
            pair = high3.reinterpretAsInts();
            pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
            highSum3 = highD.mul(dx3).fma(pair.convert(I2F, 0).reinterpretAsFloats().add(back3).mul(highScale), highSum3);
            highSum3 = highDmin.mul(dx3).fma(highMin.mul(minus3), highSum3);
        }
        lowSum0.intoArray(sums, to);
        highSum0.intoArray(sums, to + 16);
        lowSum1.intoArray(sums, to + 32);
        highSum1.intoArray(sums, to + 48);
        lowSum2.intoArray(sums, to + 64);
        highSum2.intoArray(sums, to + 80);
        lowSum3.intoArray(sums, to + 96);
        highSum3.intoArray(sums, to + 112);
    }

    /** Q6_K: {@code sums = fma(d * dx, scale0 * dot0 + scale1 * dot1, sums)}; parameters as in {@link #minima}. */
    static void halfScales(int blocks, int[] tile, int tileAt, SuperBlockNumbers w, int part, int[] x, int xFrom,
            float[] dx, int dxAt, float[] sums, int to) {
        FloatVector lowD = FloatVector.fromArray(F, w.d, part);
        FloatVector highD = FloatVector.fromArray(F, w.d, part + 16);
        for (int block = 0; block < blocks; block++) {
            FloatVector lowDot0 = FloatVector.zero(F);
            FloatVector highDot0 = FloatVector.zero(F);
            FloatVector lowDot1 = FloatVector.zero(F);
            FloatVector highDot1 = FloatVector.zero(F);
            FloatVector lowDot2 = FloatVector.zero(F);
            FloatVector highDot2 = FloatVector.zero(F);
            FloatVector lowDot3 = FloatVector.zero(F);
            FloatVector highDot3 = FloatVector.zero(F);
            for (int half = 0; half < 2; half++) {
                int at = tileAt + block * TILE + half * TILE / 2;
                int xAt = xFrom + block * GROUP * PAIRS + half * PAIRS / 2;
                ShortVector low0 = ShortVector.zero(S);
                ShortVector high0 = ShortVector.zero(S);
                ShortVector low1 = ShortVector.zero(S);
                ShortVector high1 = ShortVector.zero(S);
                ShortVector low2 = ShortVector.zero(S);
                ShortVector high2 = ShortVector.zero(S);
                ShortVector low3 = ShortVector.zero(S);
                ShortVector high3 = ShortVector.zero(S);
                for (int j = 0; j < PAIRS / 2; j += 2) {
                    ShortVector low = IntVector.fromArray(I, tile, at + j * ROWS).reinterpretAsShorts();
                    ShortVector high = IntVector.fromArray(I, tile, at + j * ROWS + 16).reinterpretAsShorts();
                    ShortVector x0 = IntVector.broadcast(I, x[xAt + j]).reinterpretAsShorts();
                    low0 = low0.add(low.mul(x0));
                    high0 = high0.add(high.mul(x0));
                    ShortVector x1 = IntVector.broadcast(I, x[xAt + j + 16]).reinterpretAsShorts();
                    low1 = low1.add(low.mul(x1));
                    high1 = high1.add(high.mul(x1));
                    ShortVector x2 = IntVector.broadcast(I, x[xAt + j + 32]).reinterpretAsShorts();
                    low2 = low2.add(low.mul(x2));
                    high2 = high2.add(high.mul(x2));
                    ShortVector x3 = IntVector.broadcast(I, x[xAt + j + 48]).reinterpretAsShorts();
                    low3 = low3.add(low.mul(x3));
                    high3 = high3.add(high.mul(x3));
                    ShortVector lowb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS).reinterpretAsShorts();
                    ShortVector highb = IntVector.fromArray(I, tile, at + (j + 1) * ROWS + 16).reinterpretAsShorts();
                    ShortVector x0b = IntVector.broadcast(I, x[xAt + j + 1]).reinterpretAsShorts();
                    low0 = low0.add(lowb.mul(x0b));
                    high0 = high0.add(highb.mul(x0b));
                    ShortVector x1b = IntVector.broadcast(I, x[xAt + j + 17]).reinterpretAsShorts();
                    low1 = low1.add(lowb.mul(x1b));
                    high1 = high1.add(highb.mul(x1b));
                    ShortVector x2b = IntVector.broadcast(I, x[xAt + j + 33]).reinterpretAsShorts();
                    low2 = low2.add(lowb.mul(x2b));
                    high2 = high2.add(highb.mul(x2b));
                    ShortVector x3b = IntVector.broadcast(I, x[xAt + j + 49]).reinterpretAsShorts();
                    low3 = low3.add(lowb.mul(x3b));
                    high3 = high3.add(highb.mul(x3b));
                }
                FloatVector lowScale = FloatVector.fromArray(F, w.scales, part + (2 * block + half) * ROWS);
                FloatVector highScale = FloatVector.fromArray(F, w.scales, part + (2 * block + half) * ROWS + 16);
                IntVector pair;
                pair = low0.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                lowDot0 = pair.convert(I2F, 0).reinterpretAsFloats().fma(lowScale, lowDot0);
                pair = high0.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                highDot0 = pair.convert(I2F, 0).reinterpretAsFloats().fma(highScale, highDot0);
                pair = low1.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                lowDot1 = pair.convert(I2F, 0).reinterpretAsFloats().fma(lowScale, lowDot1);
                pair = high1.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                highDot1 = pair.convert(I2F, 0).reinterpretAsFloats().fma(highScale, highDot1);
                pair = low2.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                lowDot2 = pair.convert(I2F, 0).reinterpretAsFloats().fma(lowScale, lowDot2);
                pair = high2.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                highDot2 = pair.convert(I2F, 0).reinterpretAsFloats().fma(highScale, highDot2);
                pair = low3.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                lowDot3 = pair.convert(I2F, 0).reinterpretAsFloats().fma(lowScale, lowDot3);
                pair = high3.reinterpretAsInts();
                pair = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(pair.lanewise(ASHR, 16));
                highDot3 = pair.convert(I2F, 0).reinterpretAsFloats().fma(highScale, highDot3);
            }
            int dxBlock = dxAt + block * GROUP;
            FloatVector dx0 = FloatVector.broadcast(F, dx[dxBlock]);
            lowD.mul(dx0).fma(lowDot0, FloatVector.fromArray(F, sums, to + 0)).intoArray(sums, to + 0);
            highD.mul(dx0).fma(highDot0, FloatVector.fromArray(F, sums, to + 16)).intoArray(sums, to + 16);
            FloatVector dx1 = FloatVector.broadcast(F, dx[dxBlock + 1]);
            lowD.mul(dx1).fma(lowDot1, FloatVector.fromArray(F, sums, to + 32)).intoArray(sums, to + 32);
            highD.mul(dx1).fma(highDot1, FloatVector.fromArray(F, sums, to + 48)).intoArray(sums, to + 48);
            FloatVector dx2 = FloatVector.broadcast(F, dx[dxBlock + 2]);
            lowD.mul(dx2).fma(lowDot2, FloatVector.fromArray(F, sums, to + 64)).intoArray(sums, to + 64);
            highD.mul(dx2).fma(highDot2, FloatVector.fromArray(F, sums, to + 80)).intoArray(sums, to + 80);
            FloatVector dx3 = FloatVector.broadcast(F, dx[dxBlock + 3]);
            lowD.mul(dx3).fma(lowDot3, FloatVector.fromArray(F, sums, to + 96)).intoArray(sums, to + 96);
            highD.mul(dx3).fma(highDot3, FloatVector.fromArray(F, sums, to + 112)).intoArray(sums, to + 112);
        }
    }
}

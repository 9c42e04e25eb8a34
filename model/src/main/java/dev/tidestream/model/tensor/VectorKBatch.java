package dev.tidestream.model.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.BLOCKS;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

/** {@link VectorBatch} for K-quants: the same loops over tiles of {@link VectorKTiles}, with scales of two levels. */
final class VectorKBatch {
    private VectorKBatch() {}

    /** One panel, for all rows of x. */
    static void panel(PanelMatrix w, long at, Activations x, Scratch scratch, float[] sums) {
        switch (w.format()) {
            case Q4_K -> {
                if (x.quantised()) {
                    nibbles(w, at, x, scratch, sums);
                } else {
                    elements(w, at, x, scratch, sums);
                }
            }
            case Q5_K -> {
                if (x.quantised()) {
                    codes(w, at, x, scratch, sums);
                } else {
                    elements(w, at, x, scratch, sums);
                }
            }
            case Q6_K -> {
                if (x.quantised()) {
                    codes(w, at, x, scratch, sums);
                } else {
                    sixteens(w, at, x, scratch, sums);
                }
            }
            case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
        }
    }

    // ---- Q4_K and Q5_K with float activations: chains over elements

    private static void elements(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        VectorKTiles.Block numbers = scratch.block();
        for (int k = 0; k < w.columns(); k += BLOCK) {
            long superBlock = w.superBlock(panel, k);
            VectorKTiles.minima(w.data(), superBlock, k / BLOCK % BLOCKS, numbers);
            VectorKTiles.elementFactors(numbers);
            VectorKTiles.unpack(w.format(), w.data(), superBlock, k / BLOCK % BLOCKS, numbers, tile);
            VectorBatch.chainTile(tile, k, BLOCK, x, sums);
        }
    }

    // ---- Q6_K with float activations: chains of eight over integers

    private static void sixteens(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] dots = scratch.dots();
        VectorKTiles.Block numbers = scratch.block();
        for (int k = 0; k < w.columns(); k += BLOCK) {
            long superBlock = w.superBlock(panel, k);
            VectorKTiles.halfScales(w.data(), superBlock, k / BLOCK % BLOCKS, numbers);
            Arrays.fill(numbers.factors, 1f);
            VectorKTiles.unpack(w.format(), w.data(), superBlock, k / BLOCK % BLOCKS, numbers, tile);
            for (int half = 0; half < 2; half++) {
                for (int lane = 0; lane < ROWS; lane++) {
                    numbers.factors[lane] = numbers.d[lane] * numbers.scales[half * ROWS + lane];
                }
                for (int part = 0; part < PARTS; part++) {
                    int tileFrom = half * 16 * ROWS + part * L;
                    int b = 0;
                    for (; b + 2 <= x.rows(); b += 2) {
                        int xFrom = b * x.columns() + k + half * 16;
                        VectorBatch.block2(tile, tileFrom, 8, x.values(), xFrom, x.columns(), dots);
                        VectorBatch.scale(dots, 0, numbers.factors, part * L, 1f, sums, b * ROWS + part * L);
                        VectorBatch.scale(dots, ROWS, numbers.factors, part * L, 1f, sums, (b + 1) * ROWS + part * L);
                    }
                    if (b < x.rows()) {
                        VectorBatch.block1(tile, tileFrom, 8, x.values(), b * x.columns() + k + half * 16, dots);
                        VectorBatch.scale(dots, 0, numbers.factors, part * L, 1f, sums, b * ROWS + part * L);
                    }
                }
            }
        }
    }

    // ---- Q5_K and Q6_K with int8 activations: a tile of integers times their small scales

    private static void codes(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        boolean minima = w.format() == TensorFormat.Q5_K;
        float[] tile = scratch.tile();
        VectorKTiles.Block numbers = scratch.block();
        Arrays.fill(numbers.offsets, 0f);
        for (int block = 0; block < w.columns() / BLOCK; block++) {
            long superBlock = w.superBlock(panel, block * BLOCK);
            if (minima) {
                VectorKTiles.minima(w.data(), superBlock, block % BLOCKS, numbers);
                System.arraycopy(numbers.scales, 0, numbers.factors, 0, ROWS);
                System.arraycopy(numbers.scales, 0, numbers.factors, ROWS, ROWS);
            } else {
                VectorKTiles.halfScales(w.data(), superBlock, block % BLOCKS, numbers);
                System.arraycopy(numbers.scales, 0, numbers.factors, 0, 2 * ROWS);
            }
            VectorKTiles.unpack(w.format(), w.data(), superBlock, block % BLOCKS, numbers, tile);
            VectorBatch.codeTile(tile, numbers.d, block, x, scratch, sums);
            if (minima) {
                subtractMinima(numbers, block, x, sums);
            }
        }
    }

    private static void subtractMinima(VectorKTiles.Block numbers, int block, Activations x, float[] sums) {
        for (int b = 0; b < x.rows(); b++) {
            int at = x.blockAt(b, block);
            for (int i = 0; i < ROWS; i += L) {
                minimum(numbers, i, x.scales()[at], -x.sums()[at], sums, b * ROWS + i);
            }
        }
    }

    /** {@code sums = fma(dmin * dx, min * -n, sums)}. */
    private static void minimum(VectorKTiles.Block numbers, int from, float dx, float minusSum, float[] sums, int to) {
        FloatVector.fromArray(F, numbers.dmin, from).mul(dx)
                .fma(FloatVector.fromArray(F, numbers.mins, from).mul(minusSum), FloatVector.fromArray(F, sums, to))
                .intoArray(sums, to);
    }

    // ---- Q4_K with int8 activations: 16-bit lanes, 32 columns at a time, modulo 2^16

    private static void nibbles(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        short[] tile = scratch.shortTile();
        short[] dots = scratch.shortDots();
        VectorKTiles.Block numbers = scratch.block();
        for (int block = 0; block < w.columns() / BLOCK; block++) {
            long superBlock = w.superBlock(panel, block * BLOCK);
            VectorKTiles.nibbles(w.data(), superBlock, block % BLOCKS, tile);
            VectorKTiles.minima(w.data(), superBlock, block % BLOCKS, numbers);
            for (int part = 0; part < PARTS; part++) {
                int b = 0;
                for (; b + 8 <= x.rows(); b += 8) {
                    VectorBatch.nibbles8(tile, part * 2 * L, x.codePairs(), x.codesAt(b, block), x.codeStride(), dots);
                    scaleRows(dots, 8, numbers, part, x.scales(), x.sums(), x.blockAt(b, block), sums, b * ROWS + part * L);
                }
                for (; b < x.rows(); b++) {
                    VectorBatch.nibbles1(tile, part * 2 * L, x.codePairs(), x.codesAt(b, block), dots);
                    scaleRows(dots, 1, numbers, part, x.scales(), x.sums(), x.blockAt(b, block), sums, b * ROWS + part * L);
                }
            }
        }
    }

    /**
     * Adds the dot products of some neighbouring rows of x to their sums. The true dot product is at most 60960 and does not fit
     * 16 bits, but with 8 times the sum of the codes taken off it does (32 · 8 · 127 = 32512): take it off modulo 2^16, widen,
     * and add it again.
     */
    private static void scaleRows(short[] dots, int rows, VectorKTiles.Block numbers, int part, float[] dx, int[] codeSums,
            int from, float[] sums, int to) {
        FloatVector lowD = FloatVector.fromArray(F, numbers.d, part * L);
        FloatVector highD = FloatVector.fromArray(F, numbers.d, part * L + 16);
        FloatVector lowScale = FloatVector.fromArray(F, numbers.scales, part * L);
        FloatVector highScale = FloatVector.fromArray(F, numbers.scales, part * L + 16);
        FloatVector lowDmin = FloatVector.fromArray(F, numbers.dmin, part * L);
        FloatVector highDmin = FloatVector.fromArray(F, numbers.dmin, part * L + 16);
        FloatVector lowMin = FloatVector.fromArray(F, numbers.mins, part * L);
        FloatVector highMin = FloatVector.fromArray(F, numbers.mins, part * L + 16);
        for (int i = 0; i < rows; i++) {
            int eight = 8 * codeSums[from + i];
            IntVector pair = ShortVector.fromArray(S, dots, i * ROWS).sub((short) eight).reinterpretAsInts();
            FloatVector low = pair.lanewise(LSHL, 16).lanewise(ASHR, 16).add(eight).convert(I2F, 0).reinterpretAsFloats();
            FloatVector high = pair.lanewise(ASHR, 16).add(eight).convert(I2F, 0).reinterpretAsFloats();
            FloatVector dxb = FloatVector.broadcast(F, dx[from + i]);
            FloatVector minus = FloatVector.broadcast(F, (float) -codeSums[from + i]);
            int at = to + i * ROWS;
            low = lowD.mul(dxb).fma(low.mul(lowScale), FloatVector.fromArray(F, sums, at));
            high = highD.mul(dxb).fma(high.mul(highScale), FloatVector.fromArray(F, sums, at + 16));
            lowDmin.mul(dxb).fma(lowMin.mul(minus), low).intoArray(sums, at);
            highDmin.mul(dxb).fma(highMin.mul(minus), high).intoArray(sums, at + 16);
        }
    }
}

package dev.tidestream.model.kernels.vector.batch;

import java.util.Arrays;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.SuperBlockNumbers;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.BLOCKS;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/** {@link VectorBatch} for K-quants: the same loops over tiles of {@link VectorKTiles}, with scales of two levels. */
final class VectorKBatch {
    private VectorKBatch() {}

    /** One panel, for all rows of x. */
    static void panel(PanelMatrix w, long at, Activations x, Scratch scratch, float[] sums) {
        if (x.quantised()) {
            VectorQuants quants = VectorQuants.of(x);
            for (int first = 0; first < w.columns() / BLOCK; first += BLOCKS) {
                pairs(w, w.superBlock(at, first * BLOCK), first, quants, scratch, sums);
            }
        } else if (w.format() == TensorFormat.Q6_K) {
            sixteens(w, at, x, scratch, sums);
        } else {
            elements(w, at, x, scratch, sums);
        }
    }

    // ---- Q4_K and Q5_K with float activations: chains over elements

    private static void elements(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        SuperBlockNumbers numbers = scratch.block();
        for (int k = 0; k < w.columns(); k += BLOCK) {
            long superBlock = w.superBlock(panel, k);
            int block = k / BLOCK % BLOCKS;
            if (block == 0) {
                VectorKTiles.minima(w.format(), w.panelData(), superBlock, numbers);
            }
            VectorKTiles.elementFactors(numbers, block);
            VectorKTiles.unpack(w.format(), w.panelData(), superBlock, block, numbers, tile);
            VectorBatch.chainTile(tile, k, BLOCK, x, sums);
        }
    }

    // ---- Q6_K with float activations: chains of eight over integers

    private static void sixteens(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales(); // (2, 32)
        SuperBlockNumbers numbers = scratch.block();
        Arrays.fill(numbers.factors, 1f);
        for (int k = 0; k < w.columns(); k += BLOCK) {
            long superBlock = w.superBlock(panel, k);
            int block = k / BLOCK % BLOCKS;
            if (block == 0) {
                VectorKTiles.halfScales(w.panelData(), superBlock, numbers);
            }
            VectorKTiles.unpack(w.format(), w.panelData(), superBlock, block, numbers, tile);
            for (int i = 0; i < 2 * ROWS; i++) {
                d[i] = numbers.d[i % ROWS] * numbers.scales[block * 2 * ROWS + i];
            }
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    for (int half = 0; half < 2; half++) {
                        VectorBatch.floatBlock(tile, half * 16 * ROWS + part * L, 8, d, half * ROWS + part * L, x, b,
                                k + half * 16, sums, b * ROWS + part * L);
                    }
                }
            }
        }
    }

    // ---- int8 activations: 16-bit lanes, one super-block

    private static void pairs(PanelMatrix w, long superBlock, int first, VectorQuants x, Scratch scratch, float[] sums) {
        int[] tiles = scratch.pairTiles();
        SuperBlockNumbers numbers = scratch.block();
        int centre = w.format() == TensorFormat.Q5_K ? 16 : 0;
        if (w.format() == TensorFormat.Q4_K) {
            VectorPairTiles.q4k(w.panelData(), superBlock, tiles);
        } else {
            for (int i = 0; i < BLOCKS; i++) {
                VectorKTiles.columns(w.format(), w.panelData(), superBlock, i, scratch.columnTile());
                VectorPairTiles.pair(scratch.columnTile(), centre, tiles, i * VectorPairs.TILE);
            }
        }
        boolean minima = w.format() != TensorFormat.Q6_K;
        if (minima) {
            VectorKTiles.minima(w.format(), w.panelData(), superBlock, numbers);
        } else {
            VectorKTiles.halfScales(w.panelData(), superBlock, numbers);
        }
        for (int part = 0; part < PARTS; part++) {
            for (int b = 0; b < x.rows(); b += GROUP) {
                int at = x.blockAt(b, first);
                int to = b * ROWS + part * L;
                if (minima) {
                    VectorPairs.minima(-centre, BLOCKS, tiles, part * L, numbers, part * L, x.columnPairs(),
                            at * VectorPairs.PAIRS, x.scales(), x.minusSums(), at, sums, to);
                } else {
                    VectorPairs.halfScales(BLOCKS, tiles, part * L, numbers, part * L, x.columnPairs(), at * VectorPairs.PAIRS,
                            x.scales(), at, sums, to);
                }
            }
        }
    }
}

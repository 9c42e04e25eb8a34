package dev.tidestream.model.kernels.vector.batch;

import java.util.Arrays;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.SuperBlockNumbers;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;

/** {@link VectorBatch} for K-quants: the same loops over tiles of {@link VectorKTiles}, with scales of two levels. */
final class VectorKBatch {
    /** Is taken off the integers of Q5_K, so that sums fit 16 bits. */
    private static final int CENTRE_5 = 16;

    private VectorKBatch() {}

    // ---- Q4_K and Q5_K with float activations: chains over elements

    static VectorBatch.PanelProduct elements(VectorKTiles.Unpack unpack) {
        return (w, panel, x, scratch, sums) -> {
            float[] tile = scratch.tile();
            SuperBlockNumbers numbers = scratch.block();
            int blockBytes = w.format().shape().blockBytes();
            for (int k = 0; k < w.columns(); k += BLOCK) {
                long superBlock = panel + w.format().shape().unitOf(k);
                int block = k / BLOCK % BLOCKS;
                if (block == 0) {
                    VectorKTiles.minima(blockBytes, w.panelData(), superBlock, numbers);
                }
                VectorKTiles.elementFactors(numbers, block);
                unpack.block(w.panelData(), superBlock, block, numbers, tile);
                VectorBatch.chainTile(tile, k, BLOCK, x, sums);
            }
        };
    }

    // ---- Q6_K with float activations: chains of eight over integers

    static void sixteens(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales(); // (2, 32)
        SuperBlockNumbers numbers = scratch.block();
        Arrays.fill(numbers.factors, 1f);
        for (int k = 0; k < w.columns(); k += BLOCK) {
            long superBlock = panel + w.format().shape().unitOf(k);
            int block = k / BLOCK % BLOCKS;
            if (block == 0) {
                VectorKTiles.halfScales(w.panelData(), superBlock, numbers);
            }
            VectorKTiles.unpack6(w.panelData(), superBlock, block, numbers, tile);
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

    static void codes4(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        for (int first = 0; first < w.columns() / BLOCK; first += BLOCKS) {
            long superBlock = panel + w.format().shape().unitOf(first * BLOCK);
            VectorPairTiles.q4k(w.panelData(), superBlock, scratch.pairTiles());
            minima(w, superBlock, 0, first, VectorQuants.of(x), scratch, sums);
        }
    }

    static void codes5(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        for (int first = 0; first < w.columns() / BLOCK; first += BLOCKS) {
            long superBlock = panel + w.format().shape().unitOf(first * BLOCK);
            for (int i = 0; i < BLOCKS; i++) {
                VectorKTiles.columns5(w.panelData(), superBlock, i, scratch.columnTile());
                VectorPairTiles.pair(scratch.columnTile(), CENTRE_5, scratch.pairTiles(), i * VectorPairs.TILE);
            }
            minima(w, superBlock, CENTRE_5, first, VectorQuants.of(x), scratch, sums);
        }
    }

    static void codes6(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        VectorQuants quants = VectorQuants.of(x);
        SuperBlockNumbers numbers = scratch.block();
        for (int first = 0; first < w.columns() / BLOCK; first += BLOCKS) {
            long superBlock = panel + w.format().shape().unitOf(first * BLOCK);
            for (int i = 0; i < BLOCKS; i++) {
                VectorKTiles.columns6(w.panelData(), superBlock, i, scratch.columnTile());
                VectorPairTiles.pair(scratch.columnTile(), 0, scratch.pairTiles(), i * VectorPairs.TILE);
            }
            VectorKTiles.halfScales(w.panelData(), superBlock, numbers);
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int at = quants.blockAt(b, first);
                    VectorPairs.halfScales(BLOCKS, scratch.pairTiles(), part * L, numbers, part * L, quants.columnPairs(),
                            at * VectorPairs.PAIRS, quants.scales(), at, sums, b * ROWS + part * L);
                }
            }
        }
    }

    private static void minima(
            PanelMatrix w, long superBlock, int centre, int first, VectorQuants x, Scratch scratch, float[] sums) {
        SuperBlockNumbers numbers = scratch.block();
        VectorKTiles.minima(w.format().shape().blockBytes(), w.panelData(), superBlock, numbers);
        for (int part = 0; part < PARTS; part++) {
            for (int b = 0; b < x.rows(); b += GROUP) {
                int at = x.blockAt(b, first);
                VectorPairs.minima(-centre, BLOCKS, scratch.pairTiles(), part * L, numbers, part * L, x.columnPairs(),
                        at * VectorPairs.PAIRS, x.scales(), x.minusSums(), at, sums, b * ROWS + part * L);
            }
        }
    }
}

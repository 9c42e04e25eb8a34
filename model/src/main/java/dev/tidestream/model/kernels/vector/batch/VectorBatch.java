package dev.tidestream.model.kernels.vector.batch;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.kernels.vector.base.VectorTiles;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.kernels.vector.base.Scratch.FLOAT_BLOCKS;
import static dev.tidestream.model.kernels.vector.base.Scratch.PAIR_BLOCKS;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;

/**
 * The kernels of many activation rows. Some blocks of the panel are unpacked into tiles that stay in the first-level cache, then
 * all rows of x go over them, four or eight at a time, so that a tile's element is used as often as it is loaded and so is a
 * broadcast value of x. Where unpacking is cheap, as for float activations over Q4_0 and Q8_0, or rows are few, as for int8 codes
 * over them, there is no tile: {@link VectorFours}, {@link VectorLines}. The sums of the panel, (b, 32), wait in scratch from one
 * range of blocks to the next. Rounding is that of {@code VectorDecode}, so a row has the same bits in a batch and alone.
 *
 * <p>Rows that are missing in the last group of four are computed all the same, from whatever is there, and not used.
 */
public final class VectorBatch {
    /** Columns of a tile of float weights. */
    private static final int TILE = 32;

    /** Packed blocks that all groups of rows go over before the next blocks: they stay in the first-level cache. */
    private static final int LINE_BLOCKS = 16;

    /** The scales of float activations. */
    private static final float[] ONES = {1f, 1f, 1f, 1f};

    private VectorBatch() {}

    /** Panels {@code from <= panel < to}, arguments as in {@link Kernels#multiply}. */
    public static void panels(
            PanelMatrix w, Activations x, Scratch scratch, float[] out, int outStride, int outOffset, int from, int to) {
        w.requireReadable(from, to);
        if (w.format() == TensorFormat.Q4_0 && x.quantised() && x.rows() <= VectorQuants.LINE_ROWS) {
            int half = (to - from) / 2;
            for (int i = 0; i < half; i++) {
                twoPanels(w, from + i, from + half + i, x, scratch, out, outStride, outOffset);
            }
            if ((to - from) % 2 == 1) {
                twoPanels(w, to - 1, to - 1, x, scratch, out, outStride, outOffset);
            }
            return;
        }
        for (int panel = from; panel < to; panel++) {
            panel(w, panel, x, scratch);
            copy(w, panel, x.rows(), scratch.sums(), 0, out, outStride, outOffset);
        }
    }

    /** Writes the sums of a panel, (b, 32) from {@code at}, to where they belong. */
    private static void copy(
            PanelMatrix w, int panel, int rows, float[] sums, int at, float[] out, int outStride, int outOffset) {
        int to = outOffset + panel * ROWS;
        int panelRows = w.rowsOf(panel);
        for (int b = 0; b < rows; b++) {
            System.arraycopy(sums, at + b * ROWS, out, to + b * outStride, panelRows);
        }
    }

    /** Two panels of Q4_0, which may be the same, with few rows of int8 codes. */
    private static void twoPanels(
            PanelMatrix w, int p, int q, Activations x, Scratch scratch, float[] out, int outStride, int outOffset) {
        VectorQuants quants = VectorQuants.of(x);
        int second = Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS;
        float[] sums = scratch.clearedSums(2 * second);
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long block = w.panelData().address() + (long) first * PanelLayout.Q4_BLOCK_BYTES;
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int to = b * ROWS + part * L;
                    VectorLines.four(block + w.panelOffset(p), block + w.panelOffset(q), part, count, quants.lineCodes(),
                            quants.sums(), quants.scales(), quants.blockAt(b, first), sums, to, second + to);
                }
            }
        }
        copy(w, p, x.rows(), sums, 0, out, outStride, outOffset);
        copy(w, q, x.rows(), sums, second, out, outStride, outOffset);
    }

    /** One panel, for all rows of x; the sums are left in {@code scratch.sums()}. */
    private static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch) {
        float[] sums = scratch.clearedSums(Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS);
        long at = w.panelOffset(panel);
        switch (w.format()) {
            case F32, F16, BF16 -> chains(w, at, x, scratch.tile(), sums);
            case Q8_0 -> {
                if (!x.quantised()) {
                    fours(w, at, x, sums);
                } else if (x.rows() <= VectorQuants.LINE_ROWS) {
                    codeFours(w, at, VectorQuants.of(x), sums);
                } else {
                    blocks(w, at, VectorQuants.of(x), scratch, sums);
                }
            }
            case Q4_0 -> {
                if (x.quantised()) {
                    pairs(w, at, VectorQuants.of(x), scratch, sums);
                } else {
                    fours(w, at, x, sums);
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
                VectorFloats.chain8(tile, part * L, columns, x.values(), b * stride + k, stride, sums, b * ROWS + part * L);
            }
            for (; b + 4 <= x.rows(); b += 4) {
                VectorFloats.chain4(tile, part * L, columns, x.values(), b * stride + k, stride, sums, b * ROWS + part * L);
            }
            for (; b < x.rows(); b++) {
                VectorFloats.chain1(tile, part * L, columns, x.values(), b * stride + k, sums, b * ROWS + part * L);
            }
        }
    }

    // ---- Q8_0 and Q4_0 with float activations: chains a and b, unpacked for each group of rows

    private static void fours(PanelMatrix w, long panel, Activations x, float[] sums) {
        int stride = x.columns();
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long at = w.panelData().address() + panel + (long) first * PanelLayout.blockBytes(w.format());
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int left = x.rows() - b;
                    int from = b * stride + first * BLOCK;
                    int step1 = left > 1 ? stride : 0;
                    int step2 = left > 2 ? stride : 0;
                    int step3 = left > 3 ? stride : 0;
                    int to = b * ROWS + part * L;
                    if (w.format() == TensorFormat.Q8_0) {
                        VectorFours.bytes(at, part, count, x.values(), from, step1, step2, step3, sums, to);
                    } else {
                        VectorFours.nibbles(at, part, count, x.values(), from, step1, step2, step3, sums, to);
                    }
                }
            }
        }
    }

    /** Q8_0, few rows of int8 codes. */
    private static void codeFours(PanelMatrix w, long panel, VectorQuants x, float[] sums) {
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long at = w.panelData().address() + panel + (long) first * PanelLayout.Q8_BLOCK_BYTES;
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    VectorFours.byteCodes(
                            at, part, count, x.codes(), x.scales(), x.blockAt(b, first), sums, b * ROWS + part * L);
                }
            }
        }
    }

    // ---- Q8_0 with int8 activations: integer-valued floats

    private static void blocks(PanelMatrix w, long panel, VectorQuants x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales();
        int all = w.columns() / BLOCK;
        for (int first = 0; first < all; first += FLOAT_BLOCKS) {
            int count = Math.min(FLOAT_BLOCKS, all - first);
            for (int i = 0; i < count; i++) {
                VectorTiles.q8(w.panelData(), panel + (long) (first + i) * PanelLayout.Q8_BLOCK_BYTES + PanelLayout.SCALE_BYTES,
                        tile, i * BLOCK * ROWS);
                VectorTiles.scales(w, panel, first + i, d, i * ROWS);
            }
            for (int part = 0; part < PARTS; part++) {
                codeBlocks(count, tile, part * L, d, x, first, sums);
            }
        }
    }

    /** Some blocks of int8 codes: integers below 2^24 in floats, exact in any order. */
    static void codeBlocks(int count, float[] tile, int part, float[] d, VectorQuants x, int first, float[] sums) {
        int b = 0;
        for (; b + GROUP < x.rows(); b += 2 * GROUP) {
            int at = x.blockAt(b, first);
            int at4 = x.blockAt(b + GROUP, first);
            for (int i = 0; i < count; i++) {
                VectorFloats.codes8(tile, part + i * BLOCK * ROWS, d, part + i * ROWS, x.codes(), x.scales(),
                        at + i * GROUP, at4 + i * GROUP, sums, b * ROWS + part);
            }
        }
        if (b < x.rows()) {
            int at = x.blockAt(b, first);
            for (int i = 0; i < count; i++) {
                VectorFloats.block4(tile, part + i * BLOCK * ROWS, 16, d, part + i * ROWS, x.codes(), (at + i * GROUP) * BLOCK,
                        BLOCK, BLOCK, BLOCK, x.scales(), at + i * GROUP, sums, b * ROWS + part);
            }
        }
    }

    /** {@code 2 * half} columns of float activations from column {@code k}, of four rows or what is left of them. */
    static void floatBlock(
            float[] tile, int from, int half, float[] d, int dFrom, Activations x, int b, int k, float[] sums, int to) {
        int left = x.rows() - b;
        int stride = x.columns();
        VectorFloats.block4(tile, from, half, d, dFrom, x.values(), b * stride + k,
                left > 1 ? stride : 0, left > 2 ? stride : 0, left > 3 ? stride : 0, ONES, 0, sums, to);
    }

    // ---- Q4_0 with int8 activations: 16-bit lanes

    private static void pairs(PanelMatrix w, long panel, VectorQuants x, Scratch scratch, float[] sums) {
        int[] tiles = scratch.pairTiles();
        float[] d = scratch.scales();
        int all = w.columns() / BLOCK;
        for (int first = 0; first < all; first += PAIR_BLOCKS) {
            int count = Math.min(PAIR_BLOCKS, all - first);
            VectorPairTiles.q4(w.panelData(), panel + (long) first * PanelLayout.Q4_BLOCK_BYTES, count, tiles);
            for (int i = 0; i < count; i++) {
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

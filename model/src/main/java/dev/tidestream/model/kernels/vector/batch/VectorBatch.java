package dev.tidestream.model.kernels.vector.batch;

import java.util.EnumMap;
import java.util.Map;
import java.util.NoSuchElementException;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.q40.Q40;
import dev.tidestream.model.format.q80.Q80;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.kernels.vector.base.VectorTiles;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.Scratch.FLOAT_BLOCKS;
import static dev.tidestream.model.kernels.vector.base.Scratch.PAIR_BLOCKS;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;

/**
 * The kernels of many activation rows. Some blocks of the panel are unpacked into tiles that stay in the first-level cache, then
 * all rows of x go over them, four or eight at a time, so that a tile's element is used as often as it is loaded and so is a
 * broadcast value of x. Where unpacking is cheap, as for float activations over Q4_0 and Q8_0, or rows are few, as for int8
 * quants over them, there is no tile: {@link VectorFours}, {@link VectorLines}. The sums of the panel, (b, 32), wait in scratch
 * from one range of blocks to the next. Rounding is that of {@code VectorDecode}, so a row has the same bits in a batch and
 * alone.
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

    private static final Map<TensorFormat, PanelProduct> OF_FLOATS = new EnumMap<>(Map.of(
            TensorFormat.F32, chains(VectorTiles::f32),
            TensorFormat.F16, chains(VectorTiles::f16),
            TensorFormat.BF16, chains(VectorTiles::bf16),
            TensorFormat.Q8_0, fours(VectorFours::bytes),
            TensorFormat.Q4_0, fours(VectorFours::nibbles),
            TensorFormat.Q4_K, VectorKBatch.elements(VectorKTiles::unpack4),
            TensorFormat.Q5_K, VectorKBatch.elements(VectorKTiles::unpack5),
            TensorFormat.Q6_K, VectorKBatch::sixteens));

    private static final Map<TensorFormat, PanelProduct> OF_CODES = new EnumMap<>(Map.of(
            TensorFormat.Q8_0, VectorBatch::codes8,
            TensorFormat.Q4_0, VectorBatch::pairs,
            TensorFormat.Q4_K, VectorKBatch::codes4,
            TensorFormat.Q5_K, VectorKBatch::codes5,
            TensorFormat.Q6_K, VectorKBatch::codes6));

    /** For few rows of codes, two panels at a time. */
    private static final Map<TensorFormat, TwoPanels> OF_FEW_CODES = new EnumMap<>(Map.of(
            TensorFormat.Q4_0, VectorBatch::twoPanels));

    private VectorBatch() {}

    /** One panel, at some bytes from the first, for all rows of x. Sums are added to (b, 32). */
    interface PanelProduct {
        void panel(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums);
    }

    /** Two panels, which may be the same, for all rows of x; arguments as in {@link Kernels#multiply}. */
    private interface TwoPanels {
        void panels(PanelMatrix w, int p, int q, Activations x, Scratch scratch, float[] out, int outStride, int outOffset);
    }

    /** Whether there is code for these formats of weights and activations. */
    public static boolean knows(TensorFormat format, boolean codes) {
        return (codes ? OF_CODES : OF_FLOATS).containsKey(format);
    }

    /**
     * Panels {@code from <= panel < to}, arguments as in {@link Kernels#multiply}.
     *
     * @throws NoSuchElementException if there is no code for the format, see {@link #knows}
     */
    public static void panels(
            PanelMatrix w, Activations x, Scratch scratch, float[] out, int outStride, int outOffset, int from, int to) {
        w.requireReadable(from, to);
        boolean codes = x.quantised() && w.format().quantised();
        TwoPanels two = codes && x.rows() <= VectorQuants.LINE_ROWS ? OF_FEW_CODES.get(w.format()) : null;
        if (two != null) {
            int half = (to - from) / 2;
            for (int i = 0; i < half; i++) {
                two.panels(w, from + i, from + half + i, x, scratch, out, outStride, outOffset);
            }
            if ((to - from) % 2 == 1) {
                two.panels(w, to - 1, to - 1, x, scratch, out, outStride, outOffset);
            }
            return;
        }
        PanelProduct product = (codes ? OF_CODES : OF_FLOATS).get(w.format());
        if (product == null) {
            throw new NoSuchElementException("no code for rows: format=%s, codes=%b".formatted(w.format(), codes));
        }
        for (int panel = from; panel < to; panel++) {
            float[] sums = scratch.clearedSums(Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS);
            product.panel(w, w.panelOffset(panel), x, scratch, sums);
            copy(w, panel, x.rows(), sums, 0, out, outStride, outOffset);
        }
    }

    /** Writes the sums of a panel, (b, 32) from {@code at}, to where they belong. */
    static void copy(
            PanelMatrix w, int panel, int rows, float[] sums, int at, float[] out, int outStride, int outOffset) {
        int to = outOffset + panel * ROWS;
        int panelRows = w.rowsOf(panel);
        for (int b = 0; b < rows; b++) {
            System.arraycopy(sums, at + b * ROWS, out, to + b * outStride, panelRows);
        }
    }

    /** Two panels of Q4_0, which may be the same, with few rows of int8 quants. */
    private static void twoPanels(
            PanelMatrix w, int p, int q, Activations x, Scratch scratch, float[] out, int outStride, int outOffset) {
        VectorQuants quants = VectorQuants.of(x);
        int second = Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS;
        float[] sums = scratch.clearedSums(2 * second);
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long block = w.panelData().address() + (long) first * Q40.Q4_BLOCK_BYTES;
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int to = b * ROWS + part * L;
                    VectorLines.four(block + w.panelOffset(p), block + w.panelOffset(q), part, count, quants.lineQuants(),
                            quants.sums(), quants.scales(), quants.blockAt(b, first), sums, to, second + to);
                }
            }
        }
        copy(w, p, x.rows(), sums, 0, out, outStride, outOffset);
        copy(w, q, x.rows(), sums, second, out, outStride, outOffset);
    }

    // ---- float weights: chains that go on from tile to tile

    private static PanelProduct chains(VectorTiles.FloatTile unpack) {
        return (w, panel, x, scratch, sums) -> {
            for (int k = 0; k < w.columns(); k += TILE) {
                int columns = Math.min(TILE, w.columns() - k);
                unpack.columns(w.panelData(), panel, k, columns, scratch.tile());
                chainTile(scratch.tile(), k, columns, x, sums);
            }
        };
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

    /** A part of some blocks from an address with four rows of floats, which begin {@code step}s one behind the other. */
    private interface FourRows {
        void multiply(long at, int part, int blocks, float[] x, int from, int step1, int step2, int step3, float[] sums, int to);
    }

    private static PanelProduct fours(FourRows kernel) {
        return (w, panel, x, scratch, sums) -> fours(kernel, w, panel, x, sums);
    }

    private static void fours(FourRows kernel, PanelMatrix w, long panel, Activations x, float[] sums) {
        int stride = x.columns();
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long at = w.panelData().address() + panel + (long) first * w.format().shape().unitBytes();
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    int left = x.rows() - b;
                    kernel.multiply(at, part, count, x.values(), b * stride + first * BLOCK, left > 1 ? stride : 0, left > 2 ? stride : 0,
                            left > 3 ? stride : 0, sums, b * ROWS + part * L);
                }
            }
        }
    }

    private static void codes8(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        if (x.rows() <= VectorQuants.LINE_ROWS) {
            codeFours(w, panel, VectorQuants.of(x), sums);
        } else {
            blocks(w, panel, VectorQuants.of(x), scratch, sums);
        }
    }

    /** Q8_0, few rows of int8 quants. */
    private static void codeFours(PanelMatrix w, long panel, VectorQuants x, float[] sums) {
        int all = w.columns() / BLOCK;
        int step = x.rows() <= GROUP ? all : LINE_BLOCKS;
        for (int first = 0; first < all; first += step) {
            int count = Math.min(step, all - first);
            long at = w.panelData().address() + panel + (long) first * Q80.Q8_BLOCK_BYTES;
            for (int part = 0; part < PARTS; part++) {
                for (int b = 0; b < x.rows(); b += GROUP) {
                    VectorFours.byteCodes(
                            at, part, count, x.quants(), x.scales(), x.blockAt(b, first), sums, b * ROWS + part * L);
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
                VectorTiles.q8(w.panelData(), panel + (long) (first + i) * Q80.Q8_BLOCK_BYTES + PanelLayout.SCALE_BYTES,
                        tile, i * BLOCK * ROWS);
                VectorTiles.scales(w.panelData(), panel + (long) (first + i) * w.format().shape().unitBytes(), d, i * ROWS);
            }
            for (int part = 0; part < PARTS; part++) {
                codeBlocks(count, tile, part * L, d, x, first, sums);
            }
        }
    }

    /** Some blocks of int8 quants: integers below 2^24 in floats, exact in any order. */
    static void codeBlocks(int count, float[] tile, int part, float[] d, VectorQuants x, int first, float[] sums) {
        int b = 0;
        for (; b + GROUP < x.rows(); b += 2 * GROUP) {
            int at = x.blockAt(b, first);
            int at4 = x.blockAt(b + GROUP, first);
            for (int i = 0; i < count; i++) {
                VectorFloats.codes8(tile, part + i * BLOCK * ROWS, d, part + i * ROWS, x.quants(), x.scales(),
                        at + i * GROUP, at4 + i * GROUP, sums, b * ROWS + part);
            }
        }
        if (b < x.rows()) {
            int at = x.blockAt(b, first);
            for (int i = 0; i < count; i++) {
                VectorFloats.block4(tile, part + i * BLOCK * ROWS, 16, d, part + i * ROWS, x.quants(), (at + i * GROUP) * BLOCK,
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

    private static void pairs(PanelMatrix w, long panel, Activations activations, Scratch scratch, float[] sums) {
        VectorQuants x = VectorQuants.of(activations);
        int[] tiles = scratch.pairTiles();
        float[] d = scratch.scales();
        int all = w.columns() / BLOCK;
        for (int first = 0; first < all; first += PAIR_BLOCKS) {
            int count = Math.min(PAIR_BLOCKS, all - first);
            VectorPairTiles.q4(w.panelData(), panel + (long) first * Q40.Q4_BLOCK_BYTES, count, tiles);
            for (int i = 0; i < count; i++) {
                VectorTiles.scales(w.panelData(), panel + (long) (first + i) * w.format().shape().unitBytes(), d, i * ROWS);
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

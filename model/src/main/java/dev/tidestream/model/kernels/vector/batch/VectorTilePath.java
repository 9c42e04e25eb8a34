package dev.tidestream.model.kernels.vector.batch;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.format.base.PanelTile;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.HALF_B;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

/**
 * The kernels of any format: the format takes 32 columns of a panel apart ({@link QuantFormat#tile}), they become a tile of
 * floats, and all rows of x go over it. How that is rounded, the format's family says ({@link Rounding}). What is faster for some
 * formats has classes of its own.
 */
public final class VectorTilePath {
    private VectorTilePath() {}

    /** Panels {@code from <= panel < to} and all rows of x, arguments as in {@link Kernels#multiply}. */
    public static void panels(
            PanelMatrix w, Activations x, Scratch scratch, float[] out, int outStride, int outOffset, int from, int to) {
        w.requireReadable(from, to);
        for (int panel = from; panel < to; panel++) {
            float[] sums = scratch.clearedSums(Math.ceilDiv(x.rows(), GROUP) * GROUP * ROWS);
            if (w.format().quantised()) {
                blocks(w, w.panelOffset(panel), x, scratch, sums);
            } else {
                elements(w, w.panelOffset(panel), x, scratch.tile(), sums);
            }
            VectorBatch.copy(w, panel, x.rows(), sums, 0, out, outStride, outOffset);
        }
    }

    private static void elements(PanelMatrix w, long panel, Activations x, float[] tile, float[] sums) {
        for (int k = 0; k < w.columns(); k += BLOCK) {
            int columns = Math.min(BLOCK, w.columns() - k);
            w.format().format().readColumns(w.panelData(), panel, k, k + columns, tile);
            VectorBatch.chainTile(tile, k, columns, x, sums);
        }
    }

    private static void blocks(PanelMatrix w, long panel, Activations x, Scratch scratch, float[] sums) {
        QuantFormat format = w.format().quants();
        Rounding rounding = format.rounding();
        PanelTile block = scratch.panelTile();
        VectorQuants quants = x.quantised() ? VectorQuants.of(x) : null;
        for (int k = 0; k < w.columns(); k += BLOCK) {
            format.tile(w.panelData(), panel + format.shape().unitOf(k), k % format.shape().columns() / BLOCK, block);
            if (quants != null) {
                codes(block, k / BLOCK, quants, rounding.minima(), scratch, sums);
            } else if (rounding.chain() == 0) {
                elementFactors(block, scratch.factors(), scratch.offsets());
                fill(block.quants, scratch.factors(), scratch.offsets(), scratch.tile());
                VectorBatch.chainTile(scratch.tile(), k, BLOCK, x, sums);
            } else {
                chains(block, rounding.chain(), k, x, scratch, sums);
            }
        }
    }

    // ---- float activations: two chains over integers, then their sum is scaled

    private static void chains(PanelTile block, int chain, int k, Activations x, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        float[] d = scratch.scales(); // (2, 32)
        for (int i = 0; i < 2 * ROWS; i++) {
            d[i] = block.d[i % ROWS] * block.scales[i];
        }
        integers(block.quants, scratch, tile);
        for (int first = 0; first < BLOCK; first += 2 * chain) {
            int scale = first / HALF * ROWS;
            for (int part = 0; part < PARTS; part++) {
                int from = first * ROWS + part * L;
                if (x.rows() == 1) {
                    one(tile, from, chain, d, scale + part * L, x.values(), k + first, 1f, sums, part * L);
                    continue;
                }
                for (int b = 0; b < x.rows(); b += GROUP) {
                    VectorBatch.floatBlock(tile, from, chain, d, scale + part * L, x, b, k + first, sums, b * ROWS + part * L);
                }
            }
        }
    }

    // ---- int8 activations: integers times their small scales, below 2^24 in floats: exact in any order

    private static void codes(PanelTile block, int index, VectorQuants x, boolean minima, Scratch scratch, float[] sums) {
        float[] tile = scratch.tile();
        Arrays.fill(scratch.offsets(), 0, 2 * ROWS, 0f);
        fill(block.quants, block.scales, scratch.offsets(), tile);
        for (int part = 0; part < PARTS; part++) {
            if (x.rows() == 1) {
                one(tile, part * L, HALF, block.d, part * L, x.quants(), index * BLOCK, x.scales()[index], sums, part * L);
            } else {
                VectorBatch.codeBlocks(1, tile, part * L, block.d, x, index, sums);
            }
        }
        if (minima) {
            for (int b = 0; b < x.rows(); b++) {
                minima(block, x.quants(), x.blockAt(b, index) * BLOCK, x.scales()[x.blockAt(b, index)], sums, b * ROWS);
            }
        }
    }

    /** {@code sums = fma(m * dx, min0 * n0 + min1 * n1, sums)}, with the sums n of the codes of both halves. */
    private static void minima(PanelTile block, float[] codes, int at, float dx, float[] sums, int to) {
        float n0 = 0f;
        float n1 = 0f;
        for (int j = 0; j < HALF; j++) {
            n0 += codes[at + j];
            n1 += codes[at + HALF + j];
        }
        for (int lane = 0; lane < ROWS; lane += L) {
            FloatVector mins = FloatVector.fromArray(F, block.mins, lane).mul(n0)
                    .add(FloatVector.fromArray(F, block.mins, ROWS + lane).mul(n1));
            FloatVector.fromArray(F, block.m, lane).mul(dx).fma(mins, FloatVector.fromArray(F, sums, to + lane))
                    .intoArray(sums, to + lane);
        }
    }

    /** Chains a and b of the only row over {@code 2 * half} columns of a tile; {@code sums = fma(d * dx, a + b, sums)}. */
    private static void one(float[] tile, int from, int half, float[] d, int dFrom, float[] x, int xFrom, float dx, float[] sums,
            int to) {
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
        FloatVector.fromArray(F, d, dFrom).mul(dx).fma(lowA.add(lowB), FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
        FloatVector.fromArray(F, d, dFrom + 16).mul(dx).fma(highA.add(highB), FloatVector.fromArray(F, sums, to + 16))
                .intoArray(sums, to + 16);
    }

    // ---- tiles

    /** With these, a tile holds elements: {@code fma(q, d * scale, m * min)}, whose products are exact. */
    private static void elementFactors(PanelTile block, float[] factors, float[] offsets) {
        for (int i = 0; i < 2 * ROWS; i++) {
            factors[i] = block.d[i % ROWS] * block.scales[i];
            offsets[i] = block.m[i % ROWS] * block.mins[i];
        }
    }

    private static void integers(byte[] quants, Scratch scratch, float[] tile) {
        Arrays.fill(scratch.factors(), 0, 2 * ROWS, 1f);
        Arrays.fill(scratch.offsets(), 0, 2 * ROWS, 0f);
        fill(quants, scratch.factors(), scratch.offsets(), tile);
    }

    /**
     * Makes a tile (32 columns, 32 rows) in row order of {@code fma(q, factor, offset)}.
     *
     * @param quants (32 columns, 32 rows as packed)
     * @param factors of columns 0–15, then of columns 16–31: (2, 32) in row order
     * @param offsets the same
     */
    private static void fill(byte[] quants, float[] factors, float[] offsets, float[] tile) {
        for (int i = 0; i < BLOCK * PARTS; i++) {
            int column = i / PARTS;
            int lane = i % PARTS * L;
            int of = column / HALF * ROWS + lane;
            IntVector pair = ((ShortVector) ByteVector.fromArray(HALF_B, quants, column * ROWS + 2 * lane)
                    .convertShape(B2S, S, 0)).reinterpretAsInts();
            ((FloatVector) pair.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
                    .fma(FloatVector.fromArray(F, factors, of), FloatVector.fromArray(F, offsets, of))
                    .intoArray(tile, column * ROWS + lane);
            ((FloatVector) pair.lanewise(ASHR, 16).convert(I2F, 0))
                    .fma(FloatVector.fromArray(F, factors, of + 16), FloatVector.fromArray(F, offsets, of + 16))
                    .intoArray(tile, column * ROWS + lane + 16);
        }
    }
}

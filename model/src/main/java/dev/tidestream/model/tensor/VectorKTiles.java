package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.tensor.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_QUANTS;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_SCALES;
import static dev.tidestream.model.tensor.PanelLayout.Q5K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_QUANTS;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_SCALES;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.LITTLE;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

/**
 * Unpacks one block of 32 columns of a K-quant panel into a float tile (32 columns, 32 rows) in row order. A tile holds
 * {@code fma(q, factor, offset)}: with the right factors that is the integer, the integer times its small scale (exact, at most
 * 13 bits), or the element.
 *
 * <p>There are no helpers that take or give vectors, here and in the other classes of K-quants: docs/adr/0005-k-quant-panels.md.
 */
final class VectorKTiles {
    private VectorKTiles() {}

    /** Numbers of one block of a panel, each array in row order. One thread. */
    static final class Block {
        /** What an integer is multiplied with in columns 0–15, then in columns 16–31. */
        final float[] factors = new float[2 * ROWS];
        final float[] offsets = new float[ROWS];
        final float[] d = new float[ROWS];
        final float[] dmin = new float[ROWS];
        /** Small scales; of Q6_K for columns 0–15, then for columns 16–31. */
        final float[] scales = new float[2 * ROWS];
        final float[] mins = new float[ROWS];
    }

    /** Reads the scales of a block of Q4_K or Q5_K; those of the whole super-block with its first block, so go in order. */
    static void minima(MemorySegment data, long superBlock, int block, Block out) {
        for (int part = 0; part < PARTS; part++) {
            long at = superBlock + part * 4L * L;
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_SCALES + (long) block * LINE_BYTES, LITTLE);
            ((FloatVector) pairs.and(255).convert(I2F, 0)).intoArray(out.scales, part * L);
            ((FloatVector) pairs.lanewise(LSHR, 8).and(255).convert(I2F, 0)).intoArray(out.mins, part * L);
            ((FloatVector) pairs.lanewise(LSHR, 16).and(255).convert(I2F, 0)).intoArray(out.scales, part * L + 16);
            ((FloatVector) pairs.lanewise(LSHR, 24).convert(I2F, 0)).intoArray(out.mins, part * L + 16);
        }
        if (block == 0) {
            halves(data, superBlock, out.d);
            halves(data, superBlock + SCALE_BYTES, out.dmin);
        }
    }

    /** Like {@link #minima} for Q6_K. */
    static void halfScales(MemorySegment data, long superBlock, int block, Block out) {
        for (int part = 0; part < PARTS; part++) {
            long at = superBlock + part * 4L * L;
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q6K_SCALES + (long) block * LINE_BYTES, LITTLE);
            ((FloatVector) pairs.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, part * L);
            ((FloatVector) pairs.lanewise(LSHL, 8).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, part * L + 16);
            ((FloatVector) pairs.lanewise(LSHL, 16).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, part * L + ROWS);
            ((FloatVector) pairs.lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, part * L + ROWS + 16);
        }
        if (block == 0) {
            halves(data, superBlock, out.d);
        }
    }

    /** 32 numbers once per super-block: too few to be worth vectors. */
    private static void halves(MemorySegment data, long at, float[] out) {
        for (int lane = 0; lane < ROWS; lane++) {
            out[lane] = Float.float16ToFloat(data.get(PanelMatrix.SHORT, at + PanelLayout.position(lane) * (long) Short.BYTES));
        }
    }

    /** The block's tile. */
    static void unpack(TensorFormat format, MemorySegment data, long superBlock, int block, Block numbers, float[] tile) {
        for (int part = 0; part < PARTS; part++) {
            long at = superBlock + part * 4L * L;
            for (int half = 0; half < 2; half++) {
                int group = block * 2 + half;
                int to = half * 16 * ROWS + part * L;
                int from = part * L + half * ROWS;
                switch (format) {
                    case Q4_K -> four(
                            data, at + Q4K_QUANTS + (long) group * Q4K_LINES * LINE_BYTES, numbers, from, part, tile, to);
                    case Q5_K -> five(
                            data, at + Q4K_QUANTS + (long) group * Q5K_LINES * LINE_BYTES, numbers, from, part, tile, to);
                    case Q6_K -> {
                        long lines = at + Q6K_QUANTS + (long) group * 2 * Q6K_LINES * LINE_BYTES;
                        for (int eight = 0; eight < 2; eight++) {
                            six(data, lines + (long) eight * Q6K_LINES * LINE_BYTES, numbers, from, tile, to + eight * 8 * ROWS);
                        }
                    }
                    case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + format);
                }
            }
        }
    }

    private static void four(MemorySegment data, long lines, Block numbers, int from, int part, float[] tile, int to) {
        FloatVector lowFactor = FloatVector.fromArray(F, numbers.factors, from);
        FloatVector highFactor = FloatVector.fromArray(F, numbers.factors, from + 16);
        FloatVector lowOffset = FloatVector.fromArray(F, numbers.offsets, part * L);
        FloatVector highOffset = FloatVector.fromArray(F, numbers.offsets, part * L + 16);
        for (int w = 0; w < Q4K_LINES; w++) {
            IntVector q = IntVector.fromMemorySegment(I, data, lines + w * (long) LINE_BYTES, LITTLE);
            for (int j = 0; j < 4; j++) {
                int at = to + (4 * w + j) * ROWS;
                ((FloatVector) q.and(15).convert(I2F, 0)).fma(lowFactor, lowOffset).intoArray(tile, at);
                ((FloatVector) q.lanewise(LSHR, 16).and(15).convert(I2F, 0)).fma(highFactor, highOffset).intoArray(tile, at + 16);
                q = q.lanewise(LSHR, 4);
            }
        }
    }

    private static void five(MemorySegment data, long lines, Block numbers, int from, int part, float[] tile, int to) {
        FloatVector lowFactor = FloatVector.fromArray(F, numbers.factors, from);
        FloatVector highFactor = FloatVector.fromArray(F, numbers.factors, from + 16);
        FloatVector lowOffset = FloatVector.fromArray(F, numbers.offsets, part * L);
        FloatVector highOffset = FloatVector.fromArray(F, numbers.offsets, part * L + 16);
        IntVector last = IntVector.zero(I); // bits of column 15 enter at the top of both halves
        for (int w = 0; w < Q5K_LINES; w++) {
            IntVector q = IntVector.fromMemorySegment(I, data, lines + w * (long) LINE_BYTES, LITTLE);
            last = last.lanewise(LSHR, 1).and(0x7fff7fff).or(q.and(0x80008000));
            for (int j = 0; j < 3; j++) {
                int at = to + (3 * w + j) * ROWS;
                ((FloatVector) q.and(31).convert(I2F, 0)).fma(lowFactor, lowOffset).intoArray(tile, at);
                ((FloatVector) q.lanewise(LSHR, 16).and(31).convert(I2F, 0)).fma(highFactor, highOffset).intoArray(tile, at + 16);
                q = q.lanewise(LSHR, 5);
            }
        }
        ((FloatVector) last.lanewise(LSHR, 11).and(31).convert(I2F, 0)).fma(lowFactor, lowOffset).intoArray(tile, to + 15 * ROWS);
        ((FloatVector) last.lanewise(LSHR, 27).convert(I2F, 0)).fma(highFactor, highOffset).intoArray(tile, to + 15 * ROWS + 16);
    }

    /** Eight columns. */
    private static void six(MemorySegment data, long lines, Block numbers, int from, float[] tile, int to) {
        FloatVector low = FloatVector.fromArray(F, numbers.factors, from);
        FloatVector high = FloatVector.fromArray(F, numbers.factors, from + 16);
        for (int w = 0; w < Q6K_LINES; w++) {
            IntVector q = IntVector.fromMemorySegment(I, data, lines + w * (long) LINE_BYTES, LITTLE);
            int at = to + 2 * w * ROWS;
            q.lanewise(LSHL, 16).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(low).intoArray(tile, at);
            q.lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(high).intoArray(tile, at + 16);
            at += ROWS;
            q.lanewise(LSHL, 22).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(low).intoArray(tile, at);
            q.lanewise(LSHL, 6).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(high).intoArray(tile, at + 16);
        }
        IntVector middle = IntVector.fromMemorySegment(I, data, lines + LINE_BYTES, LITTLE).lanewise(LSHL, 10);
        for (int rest = 0; rest < 2; rest++) {
            IntVector q = IntVector.fromMemorySegment(I, data, lines + rest * 2L * LINE_BYTES, LITTLE).lanewise(LSHL, 12)
                    .and(0xf000f000).or(middle.and(0x0c000c00));
            int at = to + (6 + rest) * ROWS;
            q.lanewise(LSHL, 16).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(low).intoArray(tile, at);
            q.lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats().mul(high).intoArray(tile, at + 16);
            middle = middle.lanewise(LSHR, 2);
        }
    }

    /** The nibbles of a block of Q4_K as shorts, (32 columns, 32 rows as packed). */
    static void nibbles(MemorySegment data, long superBlock, int block, short[] tile) {
        long lines = superBlock + Q4K_QUANTS + (long) block * 2 * Q4K_LINES * LINE_BYTES;
        for (int i = 0; i < 2 * Q4K_LINES * PARTS; i++) {
            ShortVector q = ShortVector.fromMemorySegment(S, data, lines + i * 4L * L, LITTLE);
            int to = i / PARTS * 4 * ROWS + i % PARTS * 2 * L;
            q.and((short) 15).intoArray(tile, to);
            q.lanewise(LSHR, 4).and((short) 15).intoArray(tile, to + ROWS);
            q.lanewise(LSHR, 8).and((short) 15).intoArray(tile, to + 2 * ROWS);
            q.lanewise(LSHR, 12).intoArray(tile, to + 3 * ROWS);
        }
    }

    /** Makes the tile one of elements. */
    static void elementFactors(Block numbers) {
        for (int lane = 0; lane < ROWS; lane++) {
            numbers.factors[lane] = numbers.d[lane] * numbers.scales[lane];
            numbers.factors[lane + ROWS] = numbers.factors[lane];
            numbers.offsets[lane] = -(numbers.dmin[lane] * numbers.mins[lane]);
        }
    }}

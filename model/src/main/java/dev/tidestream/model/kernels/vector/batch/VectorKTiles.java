package dev.tidestream.model.kernels.vector.batch;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.kernels.vector.base.SuperBlockNumbers;
import dev.tidestream.model.kernels.vector.base.VectorHalf;

import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCKS;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCK_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_LINES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_BLOCK_BYTES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_LINES;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_BLOCKS;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_BLOCK_BYTES;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_LINES;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
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
public final class VectorKTiles {
    private VectorKTiles() {}

    /** Reads the scales of a super-block of Q4_K or Q5_K. */
    static void minima(int blockBytes, MemorySegment data, long superBlock, SuperBlockNumbers out) {
        for (int i = 0; i < BLOCKS * PARTS; i++) {
            int to = i / PARTS * ROWS + i % PARTS * L;
            long at = superBlock + Q4K_BLOCKS + (long) (i / PARTS) * blockBytes + i % PARTS * 4L * L;
            IntVector pairs = IntVector.fromMemorySegment(I, data, at, LITTLE);
            ((FloatVector) pairs.and(255).convert(I2F, 0)).intoArray(out.scales, to);
            ((FloatVector) pairs.lanewise(LSHR, 8).and(255).convert(I2F, 0)).intoArray(out.mins, to);
            ((FloatVector) pairs.lanewise(LSHR, 16).and(255).convert(I2F, 0)).intoArray(out.scales, to + 16);
            ((FloatVector) pairs.lanewise(LSHR, 24).convert(I2F, 0)).intoArray(out.mins, to + 16);
        }
        halves(data, superBlock, out.d);
        halves(data, superBlock + SCALE_BYTES, out.dmin);
    }

    /** Like {@link #minima} for Q6_K. */
    static void halfScales(MemorySegment data, long superBlock, SuperBlockNumbers out) {
        for (int i = 0; i < BLOCKS * PARTS; i++) {
            int to = i / PARTS * 2 * ROWS + i % PARTS * L;
            long at = superBlock + Q6K_BLOCKS + (long) (i / PARTS) * Q6K_BLOCK_BYTES + i % PARTS * 4L * L;
            IntVector pairs = IntVector.fromMemorySegment(I, data, at, LITTLE);
            ((FloatVector) pairs.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, to);
            ((FloatVector) pairs.lanewise(LSHL, 8).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, to + 16);
            ((FloatVector) pairs.lanewise(LSHL, 16).lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, to + ROWS);
            ((FloatVector) pairs.lanewise(ASHR, 24).convert(I2F, 0)).intoArray(out.scales, to + ROWS + 16);
        }
        halves(data, superBlock, out.d);
    }

    private static void halves(MemorySegment data, long at, float[] out) {
        for (int part = 0; part < PARTS; part++) {
            IntVector pair = IntVector.fromMemorySegment(I, data, at + part * 4L * L, LITTLE);
            pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(out, part * L);
            pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(out, part * L + 16);
        }
    }

    /** Makes the tile of a block of the super-block at byte {@code superBlock}. */
    interface Unpack {
        void block(MemorySegment data, long superBlock, int block, SuperBlockNumbers numbers, float[] tile);
    }

    static void unpack4(MemorySegment data, long superBlock, int block, SuperBlockNumbers numbers, float[] tile) {
        for (int part = 0; part < PARTS; part++) {
            long lines = superBlock + Q4K_BLOCKS + (long) block * Q4K_BLOCK_BYTES + LINE_BYTES + part * 4L * L;
            four(data, lines, numbers, part * L, part, tile, part * L);
            four(data, lines + (long) Q4K_LINES * LINE_BYTES, numbers, part * L + ROWS, part, tile, 16 * ROWS + part * L);
        }
    }

    static void unpack5(MemorySegment data, long superBlock, int block, SuperBlockNumbers numbers, float[] tile) {
        for (int part = 0; part < PARTS; part++) {
            long lines = superBlock + Q4K_BLOCKS + (long) block * Q5K_BLOCK_BYTES + LINE_BYTES + part * 4L * L;
            five(data, lines, numbers, part * L, part, tile, part * L);
            five(data, lines + (long) Q5K_LINES * LINE_BYTES, numbers, part * L + ROWS, part, tile, 16 * ROWS + part * L);
        }
    }

    static void unpack6(MemorySegment data, long superBlock, int block, SuperBlockNumbers numbers, float[] tile) {
        for (int part = 0; part < PARTS; part++) {
            long lines = superBlock + Q6K_BLOCKS + (long) block * Q6K_BLOCK_BYTES + LINE_BYTES + part * 4L * L;
            for (int eight = 0; eight < 4; eight++) {
                six(data, lines + (long) eight * Q6K_LINES * LINE_BYTES, numbers, part * L + eight / 2 * ROWS, tile,
                        eight * 8 * ROWS + part * L);
            }
        }
    }

    private static void four(
            MemorySegment data, long lines, SuperBlockNumbers numbers, int from, int part, float[] tile, int to) {
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

    private static void five(
            MemorySegment data, long lines, SuperBlockNumbers numbers, int from, int part, float[] tile, int to) {
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
    private static void six(MemorySegment data, long lines, SuperBlockNumbers numbers, int from, float[] tile, int to) {
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

    /** The integers of a block of Q5_K, unsigned: (32 columns, 32 rows as packed). */
    static void columns5(MemorySegment data, long superBlock, int block, short[] tile) {
        long lines = superBlock + Q4K_BLOCKS + (long) block * Q5K_BLOCK_BYTES + LINE_BYTES;
        fives(data, lines, tile, 0);
        fives(data, lines + (long) Q5K_LINES * LINE_BYTES, tile, 16 * ROWS);
    }

    /** The same of Q6_K, signed. */
    static void columns6(MemorySegment data, long superBlock, int block, short[] tile) {
        long lines = superBlock + Q6K_BLOCKS + (long) block * Q6K_BLOCK_BYTES + LINE_BYTES;
        for (int eight = 0; eight < 4; eight++) {
            sixes(data, lines + (long) eight * Q6K_LINES * LINE_BYTES, tile, eight * 8 * ROWS);
        }
    }

    /** Sixteen columns. */
    private static void fives(MemorySegment data, long lines, short[] tile, int from) {
        for (int part = 0; part < PARTS; part++) {
            int to = from + part * 2 * L;
            ShortVector last = ShortVector.zero(S); // bits of column 15 enter at the top
            for (int w = 0; w < Q5K_LINES; w++) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, lines + w * (long) LINE_BYTES + part * 4L * L, LITTLE);
                last = last.lanewise(LSHR, 1).or(q.and(Short.MIN_VALUE));
                q.and((short) 31).intoArray(tile, to + 3 * w * ROWS);
                q.lanewise(LSHR, 5).and((short) 31).intoArray(tile, to + (3 * w + 1) * ROWS);
                q.lanewise(LSHR, 10).and((short) 31).intoArray(tile, to + (3 * w + 2) * ROWS);
            }
            last.lanewise(LSHR, 11).intoArray(tile, to + 15 * ROWS);
        }
    }

    /** Eight columns. */
    private static void sixes(MemorySegment data, long lines, short[] tile, int from) {
        for (int part = 0; part < PARTS; part++) {
            int to = from + part * 2 * L;
            ShortVector q0 = ShortVector.fromMemorySegment(S, data, lines + part * 4L * L, LITTLE);
            ShortVector q1 = ShortVector.fromMemorySegment(S, data, lines + LINE_BYTES + part * 4L * L, LITTLE);
            ShortVector q2 = ShortVector.fromMemorySegment(S, data, lines + 2 * LINE_BYTES + part * 4L * L, LITTLE);
            q0.lanewise(ASHR, 10).intoArray(tile, to);
            q0.lanewise(LSHL, 6).lanewise(ASHR, 10).intoArray(tile, to + ROWS);
            q1.lanewise(ASHR, 10).intoArray(tile, to + 2 * ROWS);
            q1.lanewise(LSHL, 6).lanewise(ASHR, 10).intoArray(tile, to + 3 * ROWS);
            q2.lanewise(ASHR, 10).intoArray(tile, to + 4 * ROWS);
            q2.lanewise(LSHL, 6).lanewise(ASHR, 10).intoArray(tile, to + 5 * ROWS);
            q0.lanewise(LSHL, 12).or(q1.lanewise(LSHL, 10).and((short) 0x0c00)).lanewise(ASHR, 10).intoArray(tile, to + 6 * ROWS);
            q2.lanewise(LSHL, 12).or(q1.lanewise(LSHL, 8).and((short) 0x0c00)).lanewise(ASHR, 10).intoArray(tile, to + 7 * ROWS);
        }
    }

    /** Makes the tile of a block of Q4_K or Q5_K one of elements. */
    static void elementFactors(SuperBlockNumbers numbers, int block) {
        for (int lane = 0; lane < ROWS; lane++) {
            numbers.factors[lane] = numbers.d[lane] * numbers.scales[block * ROWS + lane];
            numbers.factors[lane + ROWS] = numbers.factors[lane];
            numbers.offsets[lane] = -(numbers.dmin[lane] * numbers.mins[block * ROWS + lane]);
        }
    }
}

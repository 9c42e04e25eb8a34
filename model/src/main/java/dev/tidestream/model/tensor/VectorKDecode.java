package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.BLOCKS;
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
 * {@link VectorDecode} for K-quants with int8 activations. Products are summed in 16-bit lanes as long as they fit, without any
 * correction: 16 nibbles (16 · 15 · 127 = 30480), 6 integers of 5 bits (6 · 31 · 127 = 23622) or 8 signed ones of 6 bits
 * (8 · 32 · 127 = 32512); then two rows of a 32-bit lane are widened.
 *
 * <p>A super-block is done in two methods, dot products first, scales after, with arrays between them: together they would be
 * beyond what C2 inlines into one method, and vectors that cross a call are boxed. For the same reason the Vector API is called
 * directly, without helpers: its own methods are inlined even past C2's node limit.
 */
final class VectorKDecode {
    private VectorKDecode() {}

    /** Like {@link VectorDecode#panel}. */
    static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch, float[] out, int outOffset) {
        if (!x.quantised()) {
            VectorKFloatDecode.panel(w, panel, x, scratch, out, outOffset);
            return;
        }
        MemorySegment data = w.data();
        int[] dots = scratch.superDots();
        int bytes = PanelLayout.blockBytes(w.format());
        Arrays.fill(out, outOffset, outOffset + ROWS, 0f);
        for (int part = 0; part < PARTS; part++) {
            int to = outOffset + part * L;
            for (int block = 0; block < w.columns() / BLOCK; block += BLOCKS) {
                long at = w.panelOffset(panel) + (long) (block / BLOCKS) * bytes + part * 4L * L;
                switch (w.format()) {
                    case Q4_K -> {
                        dots4(data, at + Q4K_QUANTS, x.codePairs(), block * BLOCK, dots);
                        minima(data, at, dots, x.scales(), x.sums(), block, out, to);
                    }
                    case Q5_K -> {
                        dots5(data, at + Q4K_QUANTS, x.codePairs(), block * BLOCK, dots);
                        minima(data, at, dots, x.scales(), x.sums(), block, out, to);
                    }
                    case Q6_K -> {
                        dots6(data, at + Q6K_QUANTS, x.codePairs(), block * BLOCK, dots);
                        halfScales(data, at, dots, x.scales(), block, out, to);
                    }
                    case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
                }
            }
        }
    }

    /** @param dots receives (16 groups of columns, 2 L) */
    private static void dots4(MemorySegment data, long at, int[] x, int xFrom, int[] dots) {
        for (int group = 0; group < 2 * BLOCKS; group++) {
            long lines = at + (long) group * Q4K_LINES * LINE_BYTES;
            int k = xFrom + group * 16;
            ShortVector sum = ShortVector.zero(S);
            ShortVector q0 = ShortVector.fromMemorySegment(S, data, lines, LITTLE);
            ShortVector q1 = ShortVector.fromMemorySegment(S, data, lines + LINE_BYTES, LITTLE);
            ShortVector q2 = ShortVector.fromMemorySegment(S, data, lines + 2L * LINE_BYTES, LITTLE);
            ShortVector q3 = ShortVector.fromMemorySegment(S, data, lines + 3L * LINE_BYTES, LITTLE);
            sum = sum.add(q0.and((short) 15).mul(IntVector.broadcast(I, x[k]).reinterpretAsShorts()));
            sum = sum.add(q0.lanewise(LSHR, 4).and((short) 15).mul(IntVector.broadcast(I, x[k + 1]).reinterpretAsShorts()));
            sum = sum.add(q0.lanewise(LSHR, 8).and((short) 15).mul(IntVector.broadcast(I, x[k + 2]).reinterpretAsShorts()));
            sum = sum.add(q0.lanewise(LSHR, 12).mul(IntVector.broadcast(I, x[k + 3]).reinterpretAsShorts()));
            sum = sum.add(q1.and((short) 15).mul(IntVector.broadcast(I, x[k + 4]).reinterpretAsShorts()));
            sum = sum.add(q1.lanewise(LSHR, 4).and((short) 15).mul(IntVector.broadcast(I, x[k + 5]).reinterpretAsShorts()));
            sum = sum.add(q1.lanewise(LSHR, 8).and((short) 15).mul(IntVector.broadcast(I, x[k + 6]).reinterpretAsShorts()));
            sum = sum.add(q1.lanewise(LSHR, 12).mul(IntVector.broadcast(I, x[k + 7]).reinterpretAsShorts()));
            sum = sum.add(q2.and((short) 15).mul(IntVector.broadcast(I, x[k + 8]).reinterpretAsShorts()));
            sum = sum.add(q2.lanewise(LSHR, 4).and((short) 15).mul(IntVector.broadcast(I, x[k + 9]).reinterpretAsShorts()));
            sum = sum.add(q2.lanewise(LSHR, 8).and((short) 15).mul(IntVector.broadcast(I, x[k + 10]).reinterpretAsShorts()));
            sum = sum.add(q2.lanewise(LSHR, 12).mul(IntVector.broadcast(I, x[k + 11]).reinterpretAsShorts()));
            sum = sum.add(q3.and((short) 15).mul(IntVector.broadcast(I, x[k + 12]).reinterpretAsShorts()));
            sum = sum.add(q3.lanewise(LSHR, 4).and((short) 15).mul(IntVector.broadcast(I, x[k + 13]).reinterpretAsShorts()));
            sum = sum.add(q3.lanewise(LSHR, 8).and((short) 15).mul(IntVector.broadcast(I, x[k + 14]).reinterpretAsShorts()));
            sum = sum.add(q3.lanewise(LSHR, 12).mul(IntVector.broadcast(I, x[k + 15]).reinterpretAsShorts()));
            IntVector pair = sum.reinterpretAsInts();
            pair.lanewise(LSHL, 16).lanewise(ASHR, 16).intoArray(dots, group * 2 * L);
            pair.lanewise(ASHR, 16).intoArray(dots, group * 2 * L + L);
        }
    }

    /** Like {@link #dots4}. A sum for each place in the words, 5 products each, and column 15 added to the first. */
    private static void dots5(MemorySegment data, long at, int[] x, int xFrom, int[] dots) {
        for (int group = 0; group < 2 * BLOCKS; group++) {
            long lines = at + (long) group * Q5K_LINES * LINE_BYTES;
            int k = xFrom + group * 16;
            ShortVector first = ShortVector.zero(S);
            ShortVector second = ShortVector.zero(S);
            ShortVector third = ShortVector.zero(S);
            ShortVector last = ShortVector.zero(S); // bits of column 15 enter at the top
            for (int w = 0; w < Q5K_LINES; w++) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, lines + w * (long) LINE_BYTES, LITTLE);
                last = last.lanewise(LSHR, 1).or(q.and((short) 0x8000));
                first = first.add(q.and((short) 31).mul(IntVector.broadcast(I, x[k + 3 * w]).reinterpretAsShorts()));
                second = second.add(q.lanewise(LSHR, 5).and((short) 31).mul(IntVector.broadcast(I, x[k + 3 * w + 1])
                        .reinterpretAsShorts()));
                third = third.add(q.lanewise(LSHR, 10).and((short) 31).mul(IntVector.broadcast(I, x[k + 3 * w + 2])
                        .reinterpretAsShorts()));
            }
            first = first.add(last.lanewise(LSHR, 11).mul(IntVector.broadcast(I, x[k + 15]).reinterpretAsShorts()));
            IntVector a = first.reinterpretAsInts();
            IntVector b = second.reinterpretAsInts();
            IntVector c = third.reinterpretAsInts();
            a.lanewise(LSHL, 16).lanewise(ASHR, 16).add(b.lanewise(LSHL, 16).lanewise(ASHR, 16)).add(c.lanewise(LSHL, 16)
                    .lanewise(ASHR, 16)).intoArray(dots, group * 2 * L);
            a.lanewise(ASHR, 16).add(b.lanewise(ASHR, 16)).add(c.lanewise(ASHR, 16)).intoArray(dots, group * 2 * L + L);
        }
    }

    /** @param dots receives (32 groups of 8 columns, 2 L) */
    private static void dots6(MemorySegment data, long at, int[] x, int xFrom, int[] dots) {
        for (int group = 0; group < 4 * BLOCKS; group++) {
            long lines = at + (long) group * Q6K_LINES * LINE_BYTES;
            int k = xFrom + group * 8;
            ShortVector middle = ShortVector.fromMemorySegment(S, data, lines + LINE_BYTES, LITTLE).lanewise(LSHL, 10);
            ShortVector sum = ShortVector.zero(S);
            for (int w = 0; w < Q6K_LINES; w++) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, lines + w * (long) LINE_BYTES, LITTLE);
                sum = sum.add(q.lanewise(ASHR, 10).mul(IntVector.broadcast(I, x[k + 2 * w]).reinterpretAsShorts()));
                sum = sum.add(q.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(IntVector.broadcast(I, x[k + 2 * w + 1])
                        .reinterpretAsShorts()));
            }
            for (int rest = 0; rest < 2; rest++) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, lines + rest * 2L * LINE_BYTES, LITTLE).lanewise(LSHL, 12)
                        .or(middle.and((short) 0x0c00));
                sum = sum.add(q.lanewise(ASHR, 10).mul(IntVector.broadcast(I, x[k + 6 + rest]).reinterpretAsShorts()));
                middle = middle.lanewise(LSHR, 2);
            }
            IntVector pair = sum.reinterpretAsInts();
            pair.lanewise(LSHL, 16).lanewise(ASHR, 16).intoArray(dots, group * 2 * L);
            pair.lanewise(ASHR, 16).intoArray(dots, group * 2 * L + L);
        }
    }

    /** Adds the eight blocks of a super-block of Q4_K or Q5_K to {@code out[to…]} and {@code out[to + 16…]}. */
    private static void minima(
            MemorySegment data, long at, int[] dots, float[] dx, int[] sums, int from, float[] out, int to) {
        minimaLow(data, at, dots, dx, sums, from, out, to);
        minimaHigh(data, at, dots, dx, sums, from, out, to + 16);
    }

    private static void minimaLow(
            MemorySegment data, long at, int[] dots, float[] dx, int[] sums, int from, float[] out, int to) {
        FloatVector d = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff)
                .reinterpretAsFloats().mul(0x1p112f);
        FloatVector dmin = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(LSHL, 16)
                .lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_SCALES + (long) block * LINE_BYTES, LITTLE);
            IntVector dot = IntVector.fromArray(I, dots, block * 4 * L).add(IntVector.fromArray(I, dots, block * 4 * L + 2 * L));
            FloatVector dxb = FloatVector.broadcast(F, dx[from + block]);
            acc = d.mul(dxb).fma(pairs.and(255).mul(dot).convert(I2F, 0).reinterpretAsFloats(), acc);
            acc = dmin.mul(dxb).fma(pairs.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats()
                    .mul((float) -sums[from + block]), acc);
        }
        acc.intoArray(out, to);
    }

    private static void minimaHigh(
            MemorySegment data, long at, int[] dots, float[] dx, int[] sums, int from, float[] out, int to) {
        FloatVector d = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        FloatVector dmin = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_SCALES + (long) block * LINE_BYTES, LITTLE);
            IntVector dot = IntVector.fromArray(I, dots, block * 4 * L + L)
                    .add(IntVector.fromArray(I, dots, block * 4 * L + 3 * L));
            FloatVector dxb = FloatVector.broadcast(F, dx[from + block]);
            acc = d.mul(dxb).fma(pairs.lanewise(LSHR, 16).and(255).mul(dot).convert(I2F, 0).reinterpretAsFloats(), acc);
            acc = dmin.mul(dxb).fma(pairs.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats()
                    .mul((float) -sums[from + block]), acc);
        }
        acc.intoArray(out, to);
    }

    /** Like {@link #minima} for Q6_K. */
    private static void halfScales(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        halfScalesLow(data, at, dots, dx, from, out, to);
        halfScalesHigh(data, at, dots, dx, from, out, to + 16);
    }

    private static void halfScalesLow(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        FloatVector d = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff)
                .reinterpretAsFloats().mul(0x1p112f);
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q6K_SCALES + (long) block * LINE_BYTES, LITTLE);
            IntVector sum = pairs.lanewise(LSHL, 24).lanewise(ASHR, 24).mul(IntVector.fromArray(I, dots, block * 8 * L)
                    .add(IntVector.fromArray(I, dots, block * 8 * L + 2 * L)))
                    .add(pairs.lanewise(LSHL, 16).lanewise(ASHR, 24).mul(IntVector.fromArray(I, dots, block * 8 * L + 4 * L)
                            .add(IntVector.fromArray(I, dots, block * 8 * L + 4 * L + 2 * L))));
            acc = d.mul(dx[from + block]).fma(sum.convert(I2F, 0).reinterpretAsFloats(), acc);
        }
        acc.intoArray(out, to);
    }

    private static void halfScalesHigh(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        FloatVector d = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q6K_SCALES + (long) block * LINE_BYTES, LITTLE);
            IntVector sum = pairs.lanewise(LSHL, 8).lanewise(ASHR, 24).mul(IntVector.fromArray(I, dots, block * 8 * L + L)
                    .add(IntVector.fromArray(I, dots, block * 8 * L + L + 2 * L)))
                    .add(pairs.lanewise(ASHR, 24).mul(IntVector.fromArray(I, dots, block * 8 * L + 5 * L)
                            .add(IntVector.fromArray(I, dots, block * 8 * L + 5 * L + 2 * L))));
            acc = d.mul(dx[from + block]).fma(sum.convert(I2F, 0).reinterpretAsFloats(), acc);
        }
        acc.intoArray(out, to);
    }
}

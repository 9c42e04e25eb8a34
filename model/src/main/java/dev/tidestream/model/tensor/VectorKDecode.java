package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

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
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

/**
 * {@link VectorDecode} for K-quants with int8 activations. Products are summed in 16-bit lanes as long as they fit, without any
 * correction: 16 nibbles (16 · 15 · 127 = 30480), 6 integers of 5 bits (6 · 31 · 127 = 23622) or 8 signed ones of 6 bits
 * (8 · 32 · 127 = 32512); then two rows of a 32-bit lane are widened.
 *
 * <p>A super-block is done in two methods, dot products first, scales after, with arrays between them: together they would be
 * beyond what C2 inlines into one method, and vectors that cross a call are boxed.
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
            for (int w = 0; w < Q4K_LINES; w++) {
                ShortVector q = shorts(data, lines + w * (long) LINE_BYTES);
                sum = sum.add(q.and((short) 15).mul(pairs(x[k + 4 * w])));
                sum = sum.add(q.lanewise(LSHR, 4).and((short) 15).mul(pairs(x[k + 4 * w + 1])));
                sum = sum.add(q.lanewise(LSHR, 8).and((short) 15).mul(pairs(x[k + 4 * w + 2])));
                sum = sum.add(q.lanewise(LSHR, 12).mul(pairs(x[k + 4 * w + 3])));
            }
            IntVector pair = sum.reinterpretAsInts();
            VectorHalf.lowInt(pair).intoArray(dots, group * 2 * L);
            VectorHalf.highInt(pair).intoArray(dots, group * 2 * L + L);
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
                ShortVector q = shorts(data, lines + w * (long) LINE_BYTES);
                last = last.lanewise(LSHR, 1).or(q.and((short) 0x8000));
                first = first.add(q.and((short) 31).mul(pairs(x[k + 3 * w])));
                second = second.add(q.lanewise(LSHR, 5).and((short) 31).mul(pairs(x[k + 3 * w + 1])));
                third = third.add(q.lanewise(LSHR, 10).and((short) 31).mul(pairs(x[k + 3 * w + 2])));
            }
            first = first.add(last.lanewise(LSHR, 11).mul(pairs(x[k + 15])));
            IntVector a = first.reinterpretAsInts();
            IntVector b = second.reinterpretAsInts();
            IntVector c = third.reinterpretAsInts();
            VectorHalf.lowInt(a).add(VectorHalf.lowInt(b)).add(VectorHalf.lowInt(c)).intoArray(dots, group * 2 * L);
            VectorHalf.highInt(a).add(VectorHalf.highInt(b)).add(VectorHalf.highInt(c)).intoArray(dots, group * 2 * L + L);
        }
    }

    /** @param dots receives (32 groups of 8 columns, 2 L) */
    private static void dots6(MemorySegment data, long at, int[] x, int xFrom, int[] dots) {
        for (int group = 0; group < 4 * BLOCKS; group++) {
            long lines = at + (long) group * Q6K_LINES * LINE_BYTES;
            int k = xFrom + group * 8;
            ShortVector middle = shorts(data, lines + LINE_BYTES).lanewise(LSHL, 10);
            ShortVector sum = ShortVector.zero(S);
            for (int w = 0; w < Q6K_LINES; w++) {
                ShortVector q = shorts(data, lines + w * (long) LINE_BYTES);
                sum = sum.add(q.lanewise(ASHR, 10).mul(pairs(x[k + 2 * w])));
                sum = sum.add(q.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(pairs(x[k + 2 * w + 1])));
            }
            for (int rest = 0; rest < 2; rest++) {
                ShortVector q = shorts(data, lines + rest * 2L * LINE_BYTES).lanewise(LSHL, 12)
                        .or(middle.and((short) 0x0c00));
                sum = sum.add(q.lanewise(ASHR, 10).mul(pairs(x[k + 6 + rest])));
                middle = middle.lanewise(LSHR, 2);
            }
            IntVector pair = sum.reinterpretAsInts();
            VectorHalf.lowInt(pair).intoArray(dots, group * 2 * L);
            VectorHalf.highInt(pair).intoArray(dots, group * 2 * L + L);
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
        FloatVector d = VectorHalf.lowHalf(ints(data, at));
        FloatVector dmin = VectorHalf.lowHalf(ints(data, at + SCALE_BYTES));
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = ints(data, at + Q4K_SCALES + (long) block * LINE_BYTES);
            IntVector dot = IntVector.fromArray(I, dots, block * 4 * L).add(IntVector.fromArray(I, dots, block * 4 * L + 2 * L));
            FloatVector dxb = FloatVector.broadcast(F, dx[from + block]);
            acc = d.mul(dxb).fma(toFloat(pairs.and(255).mul(dot)), acc);
            acc = dmin.mul(dxb).fma(toFloat(pairs.lanewise(LSHR, 8).and(255)).mul((float) -sums[from + block]), acc);
        }
        acc.intoArray(out, to);
    }

    private static void minimaHigh(
            MemorySegment data, long at, int[] dots, float[] dx, int[] sums, int from, float[] out, int to) {
        FloatVector d = VectorHalf.highHalf(ints(data, at));
        FloatVector dmin = VectorHalf.highHalf(ints(data, at + SCALE_BYTES));
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = ints(data, at + Q4K_SCALES + (long) block * LINE_BYTES);
            IntVector dot = IntVector.fromArray(I, dots, block * 4 * L + L)
                    .add(IntVector.fromArray(I, dots, block * 4 * L + 3 * L));
            FloatVector dxb = FloatVector.broadcast(F, dx[from + block]);
            acc = d.mul(dxb).fma(toFloat(pairs.lanewise(LSHR, 16).and(255).mul(dot)), acc);
            acc = dmin.mul(dxb).fma(toFloat(pairs.lanewise(LSHR, 24)).mul((float) -sums[from + block]), acc);
        }
        acc.intoArray(out, to);
    }

    /** Like {@link #minima} for Q6_K. */
    private static void halfScales(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        halfScalesLow(data, at, dots, dx, from, out, to);
        halfScalesHigh(data, at, dots, dx, from, out, to + 16);
    }

    private static void halfScalesLow(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        FloatVector d = VectorHalf.lowHalf(ints(data, at));
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = ints(data, at + Q6K_SCALES + (long) block * LINE_BYTES);
            IntVector sum = pairs.lanewise(LSHL, 24).lanewise(ASHR, 24).mul(both(dots, block * 8 * L))
                    .add(pairs.lanewise(LSHL, 16).lanewise(ASHR, 24).mul(both(dots, block * 8 * L + 4 * L)));
            acc = d.mul(dx[from + block]).fma(toFloat(sum), acc);
        }
        acc.intoArray(out, to);
    }

    private static void halfScalesHigh(MemorySegment data, long at, int[] dots, float[] dx, int from, float[] out, int to) {
        FloatVector d = VectorHalf.highHalf(ints(data, at));
        FloatVector acc = FloatVector.fromArray(F, out, to);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = ints(data, at + Q6K_SCALES + (long) block * LINE_BYTES);
            IntVector sum = pairs.lanewise(LSHL, 8).lanewise(ASHR, 24).mul(both(dots, block * 8 * L + L))
                    .add(pairs.lanewise(ASHR, 24).mul(both(dots, block * 8 * L + 5 * L)));
            acc = d.mul(dx[from + block]).fma(toFloat(sum), acc);
        }
        acc.intoArray(out, to);
    }

    /** Two neighbouring groups of 8 columns. */
    private static IntVector both(int[] dots, int from) {
        return IntVector.fromArray(I, dots, from).add(IntVector.fromArray(I, dots, from + 2 * L));
    }

    private static ShortVector shorts(MemorySegment data, long at) {
        return ShortVector.fromMemorySegment(S, data, at, LITTLE);
    }

    private static IntVector ints(MemorySegment data, long at) {
        return IntVector.fromMemorySegment(I, data, at, LITTLE);
    }

    /** A code that stands in both halves of an int, for all lanes. */
    private static ShortVector pairs(int codePair) {
        return IntVector.broadcast(I, codePair).reinterpretAsShorts();
    }

    private static FloatVector toFloat(IntVector v) {
        return (FloatVector) v.convert(VectorOperators.I2F, 0);
    }
}

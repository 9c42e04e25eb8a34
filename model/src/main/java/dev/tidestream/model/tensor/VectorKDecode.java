package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.BLOCKS;
import static dev.tidestream.model.tensor.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_QUANTS;
import static dev.tidestream.model.tensor.PanelLayout.Q4K_SCALES;
import static dev.tidestream.model.tensor.PanelLayout.Q5K_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q5K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_QUANTS;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_SCALES;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.SUPER_BLOCK;
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
 * correction: 16 nibbles (16 · 15 · 127 = 30480), 8 integers of 5 bits (8 · 31 · 127 = 31496) or 8 signed ones of 6 bits
 * (8 · 32 · 127 = 32512); then two rows of a 32-bit lane are widened.
 */
final class VectorKDecode {
    private VectorKDecode() {}

    /** Like {@link VectorDecode#panel}. */
    static void panel(PanelMatrix w, int panel, Activations x, float[] out, int outOffset) {
        MemorySegment data = w.data();
        long at = w.panelOffset(panel);
        int superBlocks = w.columns() / SUPER_BLOCK;
        for (int part = 0; part < PARTS; part++) {
            int to = outOffset + part * L;
            long from = at + part * 4L * L;
            switch (w.format()) {
                case Q4_K -> {
                    if (x.quantised()) {
                        q4Int8(data, from, superBlocks, x.codePairs(), x.sums(), x.scales(), out, to);
                    } else {
                        VectorKFloatDecode.q4(data, from, superBlocks, x.values(), out, to);
                    }
                }
                case Q5_K -> {
                    if (x.quantised()) {
                        q5Int8(data, from, superBlocks, x.codePairs(), x.sums(), x.scales(), out, to);
                    } else {
                        VectorKFloatDecode.q5(data, from, superBlocks, x.values(), out, to);
                    }
                }
                case Q6_K -> {
                    if (x.quantised()) {
                        q6Int8(data, from, superBlocks, x.codePairs(), x.scales(), out, to);
                    } else {
                        VectorKFloatDecode.q6(data, from, superBlocks, x.values(), out, to);
                    }
                }
                case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
            }
        }
    }

    private static void q4Int8(
            MemorySegment data, long at, int superBlocks, int[] x, int[] sums, float[] dx, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < superBlocks * BLOCKS; block++) {
            long front = at + (long) (block / BLOCKS) * Q4K_BYTES;
            long quants = front + Q4K_QUANTS + (long) (block % BLOCKS) * (2 * Q4K_LINES * LINE_BYTES);
            IntVector lowSum = IntVector.zero(I);
            IntVector highSum = IntVector.zero(I);
            for (int half = 0; half < 2; half++) {
                ShortVector sum = ShortVector.zero(S);
                for (int w = 0; w < Q4K_LINES; w++) {
                    ShortVector q = shorts(data, quants + (half * Q4K_LINES + w) * (long) LINE_BYTES);
                    int k = block * BLOCK + half * 16 + w * 4;
                    sum = sum.add(q.and((short) 15).mul(pairs(x[k])));
                    sum = sum.add(q.lanewise(LSHR, 4).and((short) 15).mul(pairs(x[k + 1])));
                    sum = sum.add(q.lanewise(LSHR, 8).and((short) 15).mul(pairs(x[k + 2])));
                    sum = sum.add(q.lanewise(LSHR, 12).mul(pairs(x[k + 3])));
                }
                IntVector pair = sum.reinterpretAsInts();
                lowSum = lowSum.add(VectorHalf.lowInt(pair));
                highSum = highSum.add(VectorHalf.highInt(pair));
            }
            IntVector scales = ints(data, front + Q4K_SCALES + (long) (block % BLOCKS) * LINE_BYTES);
            IntVector d = ints(data, front);
            IntVector dmin = ints(data, front + SCALE_BYTES);
            FloatVector dxb = FloatVector.broadcast(F, dx[block]);
            FloatVector minus = FloatVector.broadcast(F, (float) -sums[block]);
            low = VectorHalf.lowHalf(d).mul(dxb).fma(toFloat(scales.and(255).mul(lowSum)), low);
            high = VectorHalf.highHalf(d).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 16).and(255).mul(highSum)), high);
            low = VectorHalf.lowHalf(dmin).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 8).and(255)).mul(minus), low);
            high = VectorHalf.highHalf(dmin).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 24)).mul(minus), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void q5Int8(
            MemorySegment data, long at, int superBlocks, int[] x, int[] sums, float[] dx, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < superBlocks * BLOCKS; block++) {
            long front = at + (long) (block / BLOCKS) * Q5K_BYTES;
            long quants = front + Q4K_QUANTS + (long) (block % BLOCKS) * (2 * Q5K_LINES * LINE_BYTES);
            IntVector lowSum = IntVector.zero(I);
            IntVector highSum = IntVector.zero(I);
            for (int half = 0; half < 2; half++) {
                long lines = quants + half * (long) (Q5K_LINES * LINE_BYTES);
                int k = block * BLOCK + half * 16;
                ShortVector w0 = shorts(data, lines);
                ShortVector w1 = shorts(data, lines + LINE_BYTES);
                ShortVector w2 = shorts(data, lines + 2L * LINE_BYTES);
                ShortVector w3 = shorts(data, lines + 3L * LINE_BYTES);
                ShortVector w4 = shorts(data, lines + 4L * LINE_BYTES);
                ShortVector last = w0.lanewise(LSHR, 15)
                        .or(w1.lanewise(LSHR, 14).and((short) 2))
                        .or(w2.lanewise(LSHR, 13).and((short) 4))
                        .or(w3.lanewise(LSHR, 12).and((short) 8))
                        .or(w4.lanewise(LSHR, 11).and((short) 16));
                IntVector first = three(w0, x, k).add(three(w1, x, k + 3)).add(low5(w2).mul(pairs(x[k + 6])))
                        .add(mid5(w2).mul(pairs(x[k + 7]))).reinterpretAsInts();
                IntVector second = top5(w2).mul(pairs(x[k + 8])).add(three(w3, x, k + 9)).add(three(w4, x, k + 12))
                        .add(last.mul(pairs(x[k + 15]))).reinterpretAsInts();
                lowSum = lowSum.add(VectorHalf.lowInt(first)).add(VectorHalf.lowInt(second));
                highSum = highSum.add(VectorHalf.highInt(first)).add(VectorHalf.highInt(second));
            }
            IntVector scales = ints(data, front + Q4K_SCALES + (long) (block % BLOCKS) * LINE_BYTES);
            IntVector d = ints(data, front);
            IntVector dmin = ints(data, front + SCALE_BYTES);
            FloatVector dxb = FloatVector.broadcast(F, dx[block]);
            FloatVector minus = FloatVector.broadcast(F, (float) -sums[block]);
            low = VectorHalf.lowHalf(d).mul(dxb).fma(toFloat(scales.and(255).mul(lowSum)), low);
            high = VectorHalf.highHalf(d).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 16).and(255).mul(highSum)), high);
            low = VectorHalf.lowHalf(dmin).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 8).and(255)).mul(minus), low);
            high = VectorHalf.highHalf(dmin).mul(dxb).fma(toFloat(scales.lanewise(LSHR, 24)).mul(minus), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void q6Int8(MemorySegment data, long at, int superBlocks, int[] x, float[] dx, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < superBlocks * BLOCKS; block++) {
            long front = at + (long) (block / BLOCKS) * Q6K_BYTES;
            long quants = front + Q6K_QUANTS + (long) (block % BLOCKS) * (4 * Q6K_LINES * LINE_BYTES);
            IntVector scales = ints(data, front + Q6K_SCALES + (long) (block % BLOCKS) * LINE_BYTES);
            IntVector lowSum = IntVector.zero(I);
            IntVector highSum = IntVector.zero(I);
            for (int half = 0; half < 2; half++) {
                IntVector a = eight(data, quants + half * 2L * Q6K_LINES * LINE_BYTES, x, block * BLOCK + half * 16);
                IntVector b = eight(data, quants + (half * 2L + 1) * Q6K_LINES * LINE_BYTES, x, block * BLOCK + half * 16 + 8);
                int up = 8 - half * 8;
                IntVector lowScale = scales.lanewise(LSHL, 16 + up).lanewise(ASHR, 24);
                IntVector highScale = scales.lanewise(LSHL, up).lanewise(ASHR, 24);
                lowSum = lowSum.add(lowScale.mul(VectorHalf.lowInt(a).add(VectorHalf.lowInt(b))));
                highSum = highSum.add(highScale.mul(VectorHalf.highInt(a).add(VectorHalf.highInt(b))));
            }
            IntVector d = ints(data, front);
            FloatVector dxb = FloatVector.broadcast(F, dx[block]);
            low = VectorHalf.lowHalf(d).mul(dxb).fma(toFloat(lowSum), low);
            high = VectorHalf.highHalf(d).mul(dxb).fma(toFloat(highSum), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /** Eight columns of Q6_K: two 16-bit sums in each lane. */
    private static IntVector eight(MemorySegment data, long lines, int[] x, int k) {
        ShortVector w0 = shorts(data, lines);
        ShortVector w1 = shorts(data, lines + LINE_BYTES);
        ShortVector w2 = shorts(data, lines + 2L * LINE_BYTES);
        ShortVector c6 = w0.lanewise(LSHL, 12).or(w1.lanewise(LSHL, 10).and((short) 0x0c00)).lanewise(ASHR, 10);
        ShortVector c7 = w2.lanewise(LSHL, 12).or(w1.lanewise(LSHL, 8).and((short) 0x0c00)).lanewise(ASHR, 10);
        ShortVector a = w0.lanewise(ASHR, 10).mul(pairs(x[k])).add(w0.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(pairs(x[k + 1])));
        ShortVector b = w1.lanewise(ASHR, 10).mul(pairs(x[k + 2]))
                .add(w1.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(pairs(x[k + 3])));
        ShortVector c = w2.lanewise(ASHR, 10).mul(pairs(x[k + 4]))
                .add(w2.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(pairs(x[k + 5])));
        return a.add(b).add(c).add(c6.mul(pairs(x[k + 6]))).add(c7.mul(pairs(x[k + 7]))).reinterpretAsInts();
    }

    private static ShortVector three(ShortVector word, int[] x, int k) {
        return low5(word).mul(pairs(x[k])).add(mid5(word).mul(pairs(x[k + 1]))).add(top5(word).mul(pairs(x[k + 2])));
    }

    private static ShortVector low5(ShortVector word) {
        return word.and((short) 31);
    }

    private static ShortVector mid5(ShortVector word) {
        return word.lanewise(LSHR, 5).and((short) 31);
    }

    private static ShortVector top5(ShortVector word) {
        return word.lanewise(LSHR, 10).and((short) 31);
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

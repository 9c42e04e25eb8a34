package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.Q4_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q8_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.HALF_B;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.LITTLE;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;
import static dev.tidestream.model.tensor.VectorShapes.S;

/**
 * The kernels of one activation row: unpack and multiply fused, every weight byte read once and in order, so that memory is
 * the limit. One method per format, small enough that C2 inlines every vector operation into it (a vector that crosses a call
 * is boxed); each does one part of one panel.
 */
final class VectorDecode {
    private VectorDecode() {}

    /**
     * One panel, with the only row of x.
     *
     * @param out receives 32 sums from {@code outOffset}
     */
    static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch, float[] out, int outOffset) {
        MemorySegment data = w.data();
        long at = w.panelOffset(panel);
        if (w.format().superBlocks()) {
            VectorKDecode.panel(w, panel, x, scratch, out, outOffset);
            return;
        }
        int k = w.columns();
        int xFrom = 0;
        int blockFrom = 0;
        for (int part = 0; part < PARTS; part++) {
            int to = outOffset + part * L;
            switch (w.format()) {
                case F32 -> f32(data, at + (long) part * L * 4, k, x.values(), xFrom, out, to);
                case F16 -> f16(data, at + (long) part * L * 4, k, x.values(), xFrom, out, to);
                case BF16 -> bf16(data, at + (long) part * L * 4, k, x.values(), xFrom, out, to);
                case Q8_0 -> {
                    if (x.quantised()) {
                        q8Int8(data, at, part, k / BLOCK, x.codePairs(), xFrom, x.scales(), blockFrom, out, to);
                    } else {
                        q8(data, at, part, k / BLOCK, x.values(), xFrom, out, to);
                    }
                }
                case Q4_0 -> {
                    if (x.quantised()) {
                        q4Int8(data, at, part, k / BLOCK, x, xFrom, blockFrom, out, to);
                    } else {
                        q4(data, at, part, k / BLOCK, x.values(), xFrom, out, to);
                    }
                }
                case Q4_K, Q5_K, Q6_K -> throw new IllegalArgumentException("not here: " + w.format());
            }
        }
    }

    private static void f32(MemorySegment data, long at, int columns, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int k = 0; k < columns; k++) {
            FloatVector xk = FloatVector.broadcast(F, x[xFrom + k]);
            long column = at + (long) k * ROWS * Float.BYTES;
            low = xk.fma(FloatVector.fromMemorySegment(F, data, column, LITTLE), low);
            high = xk.fma(FloatVector.fromMemorySegment(F, data, column + 16 * Float.BYTES, LITTLE), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void f16(MemorySegment data, long at, int columns, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int k = 0; k < columns; k++) {
            FloatVector xk = FloatVector.broadcast(F, x[xFrom + k]);
            IntVector pair = IntVector.fromMemorySegment(I, data, at + (long) k * ROWS * Short.BYTES, LITTLE);
            low = xk.fma(VectorHalf.lowHalf(pair), low);
            high = xk.fma(VectorHalf.highHalf(pair), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void bf16(MemorySegment data, long at, int columns, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int k = 0; k < columns; k++) {
            FloatVector xk = FloatVector.broadcast(F, x[xFrom + k]);
            IntVector pair = IntVector.fromMemorySegment(I, data, at + (long) k * ROWS * Short.BYTES, LITTLE);
            low = xk.fma(VectorHalf.lowBrain(pair), low);
            high = xk.fma(VectorHalf.highBrain(pair), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void q8(
            MemorySegment data, long at, int part, int blocks, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scales = at + (long) block * Q8_BLOCK_BYTES;
            long quants = scales + SCALE_BYTES + part * 2L * L;
            int xk = xFrom + block * BLOCK;
            FloatVector lowA = FloatVector.zero(F);
            FloatVector highA = FloatVector.zero(F);
            FloatVector lowB = FloatVector.zero(F);
            FloatVector highB = FloatVector.zero(F);
            for (int j = 0; j < 16; j++) {
                IntVector a = signedBytes(data, quants + (long) j * ROWS).reinterpretAsInts();
                IntVector b = signedBytes(data, quants + (j + 16L) * ROWS).reinterpretAsInts();
                FloatVector xa = FloatVector.broadcast(F, x[xk + j]);
                FloatVector xb = FloatVector.broadcast(F, x[xk + j + 16]);
                lowA = xa.fma(toFloat(VectorHalf.lowInt(a)), lowA);
                highA = xa.fma(toFloat(VectorHalf.highInt(a)), highA);
                lowB = xb.fma(toFloat(VectorHalf.lowInt(b)), lowB);
                highB = xb.fma(toFloat(VectorHalf.highInt(b)), highB);
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            low = VectorHalf.lowHalf(d).fma(lowA.add(lowB), low);
            high = VectorHalf.highHalf(d).fma(highA.add(highB), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void q4(
            MemorySegment data, long at, int part, int blocks, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scales = at + (long) block * Q4_BLOCK_BYTES;
            long quants = scales + SCALE_BYTES + part * 2L * L;
            int xk = xFrom + block * BLOCK;
            FloatVector lowA = FloatVector.zero(F);
            FloatVector highA = FloatVector.zero(F);
            FloatVector lowB = FloatVector.zero(F);
            FloatVector highB = FloatVector.zero(F);
            for (int j = 0; j < 16; j++) {
                // Each 32-bit lane: row r in bits 0-7, row r + 16 in bits 16-23; two nibbles in each.
                IntVector pair = unsignedBytes(data, quants + (long) j * ROWS).reinterpretAsInts();
                FloatVector xa = FloatVector.broadcast(F, x[xk + j]);
                FloatVector xb = FloatVector.broadcast(F, x[xk + j + 16]);
                lowA = xa.fma(toFloat(pair.and(15).sub(8)), lowA);
                highA = xa.fma(toFloat(pair.lanewise(VectorOperators.LSHR, 16).and(15).sub(8)), highA);
                lowB = xb.fma(toFloat(pair.lanewise(VectorOperators.LSHR, 4).and(15).sub(8)), lowB);
                highB = xb.fma(toFloat(pair.lanewise(VectorOperators.LSHR, 20).sub(8)), highB);
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            low = VectorHalf.lowHalf(d).fma(lowA.add(lowB), low);
            high = VectorHalf.highHalf(d).fma(highA.add(highB), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /** Two products of int8 fit 16 bits (2 * 128 * 127 = 32512): add pairs of columns there, then widen. */
    private static void q8Int8(
            MemorySegment data, long at, int part, int blocks, int[] x, int xFrom, float[] dx, int dxFrom, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scales = at + (long) block * Q8_BLOCK_BYTES;
            long quants = scales + SCALE_BYTES + part * 2L * L;
            int xk = xFrom + block * BLOCK;
            IntVector lowSum = IntVector.zero(I);
            IntVector highSum = IntVector.zero(I);
            for (int j = 0; j < BLOCK; j += 2) {
                ShortVector a = signedBytes(data, quants + (long) j * ROWS).mul(pairs(x[xk + j]));
                ShortVector b = signedBytes(data, quants + (j + 1L) * ROWS).mul(pairs(x[xk + j + 1]));
                IntVector pair = a.add(b).reinterpretAsInts();
                lowSum = lowSum.add(VectorHalf.lowInt(pair));
                highSum = highSum.add(VectorHalf.highInt(pair));
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            FloatVector dxb = FloatVector.broadcast(F, dx[dxFrom + block]);
            low = VectorHalf.lowHalf(d).mul(dxb).fma(toFloat(lowSum), low);
            high = VectorHalf.highHalf(d).mul(dxb).fma(toFloat(highSum), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /**
     * Nibbles stay unsigned, modulo 2^16: {@code sum((q - 8) x) = sum(q x) - 8 sum(x)}, and the result, at most
     * 32 * 8 * 127 = 32512, fits 16 bits again.
     */
    private static void q4Int8(
            MemorySegment data, long at, int part, int blocks, Activations x, int xFrom, int blockFrom, float[] out, int to) {
        int[] codes = x.codePairs();
        int[] sums = x.sums();
        float[] dx = x.scales();
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scales = at + (long) block * Q4_BLOCK_BYTES;
            long quants = scales + SCALE_BYTES + part * 2L * L;
            int xk = xFrom + block * BLOCK;
            ShortVector sum = ShortVector.broadcast(S, (short) (-8 * sums[blockFrom + block]));
            for (int j = 0; j < 16; j++) {
                ShortVector q = unsignedBytes(data, quants + (long) j * ROWS);
                sum = sum.add(q.and((short) 15).mul(pairs(codes[xk + j])));
                sum = sum.add(q.lanewise(VectorOperators.LSHR, 4).mul(pairs(codes[xk + j + 16])));
            }
            IntVector pair = sum.reinterpretAsInts();
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            FloatVector dxb = FloatVector.broadcast(F, dx[blockFrom + block]);
            low = VectorHalf.lowHalf(d).mul(dxb).fma(toFloat(VectorHalf.lowInt(pair)), low);
            high = VectorHalf.highHalf(d).mul(dxb).fma(toFloat(VectorHalf.highInt(pair)), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static ShortVector signedBytes(MemorySegment data, long at) {
        return (ShortVector) ByteVector.fromMemorySegment(HALF_B, data, at, LITTLE).convertShape(VectorOperators.B2S, S, 0);
    }

    private static ShortVector unsignedBytes(MemorySegment data, long at) {
        return (ShortVector) ByteVector.fromMemorySegment(HALF_B, data, at, LITTLE)
                .convertShape(VectorOperators.ZERO_EXTEND_B2S, S, 0);
    }

    /** A code that stands in both halves of an int, for all lanes. */
    private static ShortVector pairs(int codePair) {
        return IntVector.broadcast(I, codePair).reinterpretAsShorts();
    }

    private static FloatVector toFloat(IntVector v) {
        return (FloatVector) v.convert(VectorOperators.I2F, 0);
    }
}

package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

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
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

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
            low = xk.fma(pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), low);
            high = xk.fma(pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), high);
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
                IntVector a = ByteVector.fromMemorySegment(HALF_B, data, quants + (long) j * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                IntVector b = ByteVector.fromMemorySegment(HALF_B, data, quants + (j + 16L) * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                FloatVector xa = FloatVector.broadcast(F, x[xk + j]);
                FloatVector xb = FloatVector.broadcast(F, x[xk + j + 16]);
                lowA = xa.fma(a.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowA);
                highA = xa.fma(a.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highA);
                lowB = xb.fma(b.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowB);
                highB = xb.fma(b.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highB);
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            low = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowA.add(lowB), low);
            high = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).fma(highA.add(highB), high);
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
                IntVector pair = ByteVector.fromMemorySegment(HALF_B, data, quants + (long) j * ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                FloatVector xa = FloatVector.broadcast(F, x[xk + j]);
                FloatVector xb = FloatVector.broadcast(F, x[xk + j + 16]);
                lowA = xa.fma(pair.and(15).sub(8).convert(I2F, 0).reinterpretAsFloats(), lowA);
                highA = xa.fma(pair.lanewise(LSHR, 16).and(15).sub(8).convert(I2F, 0).reinterpretAsFloats(), highA);
                lowB = xb.fma(pair.lanewise(LSHR, 4).and(15).sub(8).convert(I2F, 0).reinterpretAsFloats(), lowB);
                highB = xb.fma(pair.lanewise(LSHR, 20).sub(8).convert(I2F, 0).reinterpretAsFloats(), highB);
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            low = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowA.add(lowB), low);
            high = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).fma(highA.add(highB), high);
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
                ShortVector a = ByteVector.fromMemorySegment(HALF_B, data, quants + (long) j * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(IntVector.broadcast(I, x[xk + j])
                        .reinterpretAsShorts());
                ShortVector b = ByteVector.fromMemorySegment(HALF_B, data, quants + (j + 1L) * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(IntVector.broadcast(I, x[xk + j + 1])
                        .reinterpretAsShorts());
                IntVector pair = a.add(b).reinterpretAsInts();
                lowSum = lowSum.add(pair.lanewise(LSHL, 16).lanewise(ASHR, 16));
                highSum = highSum.add(pair.lanewise(ASHR, 16));
            }
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            FloatVector dxb = FloatVector.broadcast(F, dx[dxFrom + block]);
            low = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(lowSum.convert(I2F, 0).reinterpretAsFloats(), low);
            high = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(highSum.convert(I2F, 0).reinterpretAsFloats(), high);
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
                ShortVector q = ByteVector.fromMemorySegment(HALF_B, data, quants + (long) j * ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                sum = sum.add(q.and((short) 15).mul(IntVector.broadcast(I, codes[xk + j]).reinterpretAsShorts()));
                sum = sum.add(q.lanewise(LSHR, 4).mul(IntVector.broadcast(I, codes[xk + j + 16]).reinterpretAsShorts()));
            }
            IntVector pair = sum.reinterpretAsInts();
            IntVector d = IntVector.fromMemorySegment(I, data, scales + part * 4L * L, LITTLE);
            FloatVector dxb = FloatVector.broadcast(F, dx[blockFrom + block]);
            low = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pair.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), low);
            high = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pair.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }
}

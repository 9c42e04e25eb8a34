package dev.tidestream.model.kernels.vector.batch;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.q40.Q40.Q4_BLOCK_BYTES;
import static dev.tidestream.model.format.q80.Q80.Q8_BLOCK_BYTES;
import static dev.tidestream.model.kernels.vector.base.VectorQuants.GROUP;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.ADDRESS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.HALF_B;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.MEMORY;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

/**
 * A group of four activation rows: unpack and multiply fused, as for one row (see {@code VectorDecode}, also for what these
 * methods may not do), so that nothing is written but sums. Integers are unpacked anew for every group of rows, mostly on ports
 * that do not multiply.
 *
 * <p>Addresses are those of the first block; bounds are not checked (docs/adr/0007-unchecked-loads.md).
 */
final class VectorFours {
    /** The value of each nibble, 8 taken off, as the bits of a float. */
    private static final int[] NIBBLES = new int[16];

    /** Whether a vector has room for {@link #NIBBLES}. */
    private static final boolean TABLE = L == 16;

    static {
        for (int i = 0; i < NIBBLES.length; i++) {
            NIBBLES[i] = Float.floatToRawIntBits(i - 8f);
        }
    }

    private VectorFours() {}

    /**
     * Q4_0, one panel, float activations. A nibble becomes a float by a look into a table, which takes no mask and is exact.
     *
     * @param x four rows, the first from {@code xFrom}
     * @param step1 from row 0 of x to row 1, and so on
     * @param sums (4, 32) from {@code to}
     */
    static void nibbles(long panel, int part, int blocks, float[] x, int xFrom, int step1, int step2, int step3,
            float[] sums, int to) {
        int from1 = xFrom + step1;
        int from2 = from1 + step2;
        int from3 = from2 + step3;
        IntVector table = IntVector.fromArray(I, NIBBLES, 0);
        FloatVector lowSum0 = FloatVector.fromArray(F, sums, to);
        FloatVector highSum0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector lowSum1 = FloatVector.fromArray(F, sums, to + 32);
        FloatVector highSum1 = FloatVector.fromArray(F, sums, to + 48);
        FloatVector lowSum2 = FloatVector.fromArray(F, sums, to + 64);
        FloatVector highSum2 = FloatVector.fromArray(F, sums, to + 80);
        FloatVector lowSum3 = FloatVector.fromArray(F, sums, to + 96);
        FloatVector highSum3 = FloatVector.fromArray(F, sums, to + 112);
        for (int block = 0; block < blocks; block++) {
            long scales = (panel + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quants = panel + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowA0 = FloatVector.zero(F);
            FloatVector highA0 = FloatVector.zero(F);
            FloatVector lowA1 = FloatVector.zero(F);
            FloatVector highA1 = FloatVector.zero(F);
            FloatVector lowA2 = FloatVector.zero(F);
            FloatVector highA2 = FloatVector.zero(F);
            FloatVector lowA3 = FloatVector.zero(F);
            FloatVector highA3 = FloatVector.zero(F);
            FloatVector lowB0 = FloatVector.zero(F);
            FloatVector highB0 = FloatVector.zero(F);
            FloatVector lowB1 = FloatVector.zero(F);
            FloatVector highB1 = FloatVector.zero(F);
            FloatVector lowB2 = FloatVector.zero(F);
            FloatVector highB2 = FloatVector.zero(F);
            FloatVector lowB3 = FloatVector.zero(F);
            FloatVector highB3 = FloatVector.zero(F);
            for (int j = 0; j < 16; j++) {
                int k = block * BLOCK + j;
                long at = (quants + (long) j * ROWS) & ADDRESS;
                IntVector w = ByteVector.fromMemorySegment(HALF_B, MEMORY, at, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                FloatVector lowA = TABLE ? w.selectFrom(table).reinterpretAsFloats()
                        : w.and(15).sub(8).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highA = TABLE ? w.lanewise(LSHR, 16).selectFrom(table).reinterpretAsFloats()
                        : w.lanewise(LSHR, 16).and(15).sub(8).convert(I2F, 0).reinterpretAsFloats();
                FloatVector lowB = TABLE ? w.lanewise(LSHR, 4).selectFrom(table).reinterpretAsFloats()
                        : w.lanewise(LSHR, 4).and(15).sub(8).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highB = TABLE ? w.lanewise(LSHR, 20).selectFrom(table).reinterpretAsFloats()
                        : w.lanewise(LSHR, 20).and(15).sub(8).convert(I2F, 0).reinterpretAsFloats();
                FloatVector a0 = FloatVector.broadcast(F, x[xFrom + k]);
                lowA0 = a0.fma(lowA, lowA0);
                highA0 = a0.fma(highA, highA0);
                FloatVector b0 = FloatVector.broadcast(F, x[xFrom + k + 16]);
                lowB0 = b0.fma(lowB, lowB0);
                highB0 = b0.fma(highB, highB0);
                FloatVector a1 = FloatVector.broadcast(F, x[from1 + k]);
                lowA1 = a1.fma(lowA, lowA1);
                highA1 = a1.fma(highA, highA1);
                FloatVector b1 = FloatVector.broadcast(F, x[from1 + k + 16]);
                lowB1 = b1.fma(lowB, lowB1);
                highB1 = b1.fma(highB, highB1);
                FloatVector a2 = FloatVector.broadcast(F, x[from2 + k]);
                lowA2 = a2.fma(lowA, lowA2);
                highA2 = a2.fma(highA, highA2);
                FloatVector b2 = FloatVector.broadcast(F, x[from2 + k + 16]);
                lowB2 = b2.fma(lowB, lowB2);
                highB2 = b2.fma(highB, highB2);
                FloatVector a3 = FloatVector.broadcast(F, x[from3 + k]);
                lowA3 = a3.fma(lowA, lowA3);
                highA3 = a3.fma(highA, highA3);
                FloatVector b3 = FloatVector.broadcast(F, x[from3 + k + 16]);
                lowB3 = b3.fma(lowB, lowB3);
                highB3 = b3.fma(highB, highB3);
            }
            IntVector d = IntVector.fromMemorySegment(I, MEMORY, scales, LITTLE);
            FloatVector lowD = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector highD = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            lowSum0 = lowD.fma(lowA0.add(lowB0), lowSum0);
            highSum0 = highD.fma(highA0.add(highB0), highSum0);
            lowSum1 = lowD.fma(lowA1.add(lowB1), lowSum1);
            highSum1 = highD.fma(highA1.add(highB1), highSum1);
            lowSum2 = lowD.fma(lowA2.add(lowB2), lowSum2);
            highSum2 = highD.fma(highA2.add(highB2), highSum2);
            lowSum3 = lowD.fma(lowA3.add(lowB3), lowSum3);
            highSum3 = highD.fma(highA3.add(highB3), highSum3);
        }
        lowSum0.intoArray(sums, to);
        highSum0.intoArray(sums, to + 16);
        lowSum1.intoArray(sums, to + 32);
        highSum1.intoArray(sums, to + 48);
        lowSum2.intoArray(sums, to + 64);
        highSum2.intoArray(sums, to + 80);
        lowSum3.intoArray(sums, to + 96);
        highSum3.intoArray(sums, to + 112);
    }

    /** Q8_0, one panel, float activations; sums of chains are 2^16 times too large, as in {@code VectorFloatDecode}. */
    static void bytes(long panel, int part, int blocks, float[] x, int xFrom, int step1, int step2, int step3,
            float[] sums, int to) {
        int from1 = xFrom + step1;
        int from2 = from1 + step2;
        int from3 = from2 + step3;
        FloatVector lowSum0 = FloatVector.fromArray(F, sums, to);
        FloatVector highSum0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector lowSum1 = FloatVector.fromArray(F, sums, to + 32);
        FloatVector highSum1 = FloatVector.fromArray(F, sums, to + 48);
        FloatVector lowSum2 = FloatVector.fromArray(F, sums, to + 64);
        FloatVector highSum2 = FloatVector.fromArray(F, sums, to + 80);
        FloatVector lowSum3 = FloatVector.fromArray(F, sums, to + 96);
        FloatVector highSum3 = FloatVector.fromArray(F, sums, to + 112);
        for (int block = 0; block < blocks; block++) {
            long scales = (panel + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quants = panel + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowA0 = FloatVector.zero(F);
            FloatVector highA0 = FloatVector.zero(F);
            FloatVector lowA1 = FloatVector.zero(F);
            FloatVector highA1 = FloatVector.zero(F);
            FloatVector lowA2 = FloatVector.zero(F);
            FloatVector highA2 = FloatVector.zero(F);
            FloatVector lowA3 = FloatVector.zero(F);
            FloatVector highA3 = FloatVector.zero(F);
            FloatVector lowB0 = FloatVector.zero(F);
            FloatVector highB0 = FloatVector.zero(F);
            FloatVector lowB1 = FloatVector.zero(F);
            FloatVector highB1 = FloatVector.zero(F);
            FloatVector lowB2 = FloatVector.zero(F);
            FloatVector highB2 = FloatVector.zero(F);
            FloatVector lowB3 = FloatVector.zero(F);
            FloatVector highB3 = FloatVector.zero(F);
            for (int j = 0; j < 16; j++) {
                int k = block * BLOCK + j;
                long at = (quants + (long) j * ROWS) & ADDRESS;
                IntVector first = ByteVector.fromMemorySegment(HALF_B, MEMORY, at, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                IntVector second = ByteVector.fromMemorySegment(HALF_B, MEMORY, at + 16 * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                FloatVector lowA = first.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highA = first.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats();
                FloatVector lowB = second.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highB = second.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats();
                FloatVector a0 = FloatVector.broadcast(F, x[xFrom + k]);
                lowA0 = a0.fma(lowA, lowA0);
                highA0 = a0.fma(highA, highA0);
                FloatVector b0 = FloatVector.broadcast(F, x[xFrom + k + 16]);
                lowB0 = b0.fma(lowB, lowB0);
                highB0 = b0.fma(highB, highB0);
                FloatVector a1 = FloatVector.broadcast(F, x[from1 + k]);
                lowA1 = a1.fma(lowA, lowA1);
                highA1 = a1.fma(highA, highA1);
                FloatVector b1 = FloatVector.broadcast(F, x[from1 + k + 16]);
                lowB1 = b1.fma(lowB, lowB1);
                highB1 = b1.fma(highB, highB1);
                FloatVector a2 = FloatVector.broadcast(F, x[from2 + k]);
                lowA2 = a2.fma(lowA, lowA2);
                highA2 = a2.fma(highA, highA2);
                FloatVector b2 = FloatVector.broadcast(F, x[from2 + k + 16]);
                lowB2 = b2.fma(lowB, lowB2);
                highB2 = b2.fma(highB, highB2);
                FloatVector a3 = FloatVector.broadcast(F, x[from3 + k]);
                lowA3 = a3.fma(lowA, lowA3);
                highA3 = a3.fma(highA, highA3);
                FloatVector b3 = FloatVector.broadcast(F, x[from3 + k + 16]);
                lowB3 = b3.fma(lowB, lowB3);
                highB3 = b3.fma(highB, highB3);
            }
            IntVector d = IntVector.fromMemorySegment(I, MEMORY, scales, LITTLE);
            FloatVector lowD = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector highD = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            lowSum0 = lowD.fma(lowA0.add(lowB0).mul(0x1p-16f), lowSum0);
            highSum0 = highD.fma(highA0.add(highB0).mul(0x1p-16f), highSum0);
            lowSum1 = lowD.fma(lowA1.add(lowB1).mul(0x1p-16f), lowSum1);
            highSum1 = highD.fma(highA1.add(highB1).mul(0x1p-16f), highSum1);
            lowSum2 = lowD.fma(lowA2.add(lowB2).mul(0x1p-16f), lowSum2);
            highSum2 = highD.fma(highA2.add(highB2).mul(0x1p-16f), highSum2);
            lowSum3 = lowD.fma(lowA3.add(lowB3).mul(0x1p-16f), lowSum3);
            highSum3 = highD.fma(highA3.add(highB3).mul(0x1p-16f), highSum3);
        }
        lowSum0.intoArray(sums, to);
        highSum0.intoArray(sums, to + 16);
        lowSum1.intoArray(sums, to + 32);
        highSum1.intoArray(sums, to + 48);
        lowSum2.intoArray(sums, to + 64);
        highSum2.intoArray(sums, to + 80);
        lowSum3.intoArray(sums, to + 96);
        highSum3.intoArray(sums, to + 112);
    }

    /**
     * Q8_0, one panel, int8 quants as floats: integers below 2^24, 2^16 times too large, and exact in any order.
     *
     * @param x {@link VectorQuants#codes} of the group from {@code 32 * dxFrom}
     * @param dx (blocks, 4) from {@code dxFrom}
     * @param sums (4, 32) from {@code to}
     */
    static void byteCodes(long panel, int part, int blocks, float[] x, float[] dx, int dxFrom, float[] sums, int to) {
        FloatVector lowSum0 = FloatVector.fromArray(F, sums, to);
        FloatVector highSum0 = FloatVector.fromArray(F, sums, to + 16);
        FloatVector lowSum1 = FloatVector.fromArray(F, sums, to + 32);
        FloatVector highSum1 = FloatVector.fromArray(F, sums, to + 48);
        FloatVector lowSum2 = FloatVector.fromArray(F, sums, to + 64);
        FloatVector highSum2 = FloatVector.fromArray(F, sums, to + 80);
        FloatVector lowSum3 = FloatVector.fromArray(F, sums, to + 96);
        FloatVector highSum3 = FloatVector.fromArray(F, sums, to + 112);
        for (int block = 0; block < blocks; block++) {
            long scales = (panel + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quants = panel + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowA0 = FloatVector.zero(F);
            FloatVector highA0 = FloatVector.zero(F);
            FloatVector lowA1 = FloatVector.zero(F);
            FloatVector highA1 = FloatVector.zero(F);
            FloatVector lowA2 = FloatVector.zero(F);
            FloatVector highA2 = FloatVector.zero(F);
            FloatVector lowA3 = FloatVector.zero(F);
            FloatVector highA3 = FloatVector.zero(F);
            FloatVector lowB0 = FloatVector.zero(F);
            FloatVector highB0 = FloatVector.zero(F);
            FloatVector lowB1 = FloatVector.zero(F);
            FloatVector highB1 = FloatVector.zero(F);
            FloatVector lowB2 = FloatVector.zero(F);
            FloatVector highB2 = FloatVector.zero(F);
            FloatVector lowB3 = FloatVector.zero(F);
            FloatVector highB3 = FloatVector.zero(F);
            int dxAt = dxFrom + block * GROUP;
            for (int j = 0; j < 16; j++) {
                int k = dxAt * BLOCK + j;
                long at = (quants + (long) j * ROWS) & ADDRESS;
                IntVector first = ByteVector.fromMemorySegment(HALF_B, MEMORY, at, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                IntVector second = ByteVector.fromMemorySegment(HALF_B, MEMORY, at + 16 * ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                FloatVector lowA = first.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highA = first.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats();
                FloatVector lowB = second.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats();
                FloatVector highB = second.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats();
                FloatVector a0 = FloatVector.broadcast(F, x[k]);
                lowA0 = a0.fma(lowA, lowA0);
                highA0 = a0.fma(highA, highA0);
                FloatVector b0 = FloatVector.broadcast(F, x[k + 16]);
                lowB0 = b0.fma(lowB, lowB0);
                highB0 = b0.fma(highB, highB0);
                FloatVector a1 = FloatVector.broadcast(F, x[k + 32]);
                lowA1 = a1.fma(lowA, lowA1);
                highA1 = a1.fma(highA, highA1);
                FloatVector b1 = FloatVector.broadcast(F, x[k + 48]);
                lowB1 = b1.fma(lowB, lowB1);
                highB1 = b1.fma(highB, highB1);
                FloatVector a2 = FloatVector.broadcast(F, x[k + 64]);
                lowA2 = a2.fma(lowA, lowA2);
                highA2 = a2.fma(highA, highA2);
                FloatVector b2 = FloatVector.broadcast(F, x[k + 80]);
                lowB2 = b2.fma(lowB, lowB2);
                highB2 = b2.fma(highB, highB2);
                FloatVector a3 = FloatVector.broadcast(F, x[k + 96]);
                lowA3 = a3.fma(lowA, lowA3);
                highA3 = a3.fma(highA, highA3);
                FloatVector b3 = FloatVector.broadcast(F, x[k + 112]);
                lowB3 = b3.fma(lowB, lowB3);
                highB3 = b3.fma(highB, highB3);
            }
            IntVector d = IntVector.fromMemorySegment(I, MEMORY, scales, LITTLE);
            FloatVector lowD = d.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector highD = d.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dx0 = FloatVector.broadcast(F, dx[dxAt]);
            lowSum0 = lowD.mul(dx0).fma(lowA0.add(lowB0).mul(0x1p-16f), lowSum0);
            highSum0 = highD.mul(dx0).fma(highA0.add(highB0).mul(0x1p-16f), highSum0);
            FloatVector dx1 = FloatVector.broadcast(F, dx[dxAt + 1]);
            lowSum1 = lowD.mul(dx1).fma(lowA1.add(lowB1).mul(0x1p-16f), lowSum1);
            highSum1 = highD.mul(dx1).fma(highA1.add(highB1).mul(0x1p-16f), highSum1);
            FloatVector dx2 = FloatVector.broadcast(F, dx[dxAt + 2]);
            lowSum2 = lowD.mul(dx2).fma(lowA2.add(lowB2).mul(0x1p-16f), lowSum2);
            highSum2 = highD.mul(dx2).fma(highA2.add(highB2).mul(0x1p-16f), highSum2);
            FloatVector dx3 = FloatVector.broadcast(F, dx[dxAt + 3]);
            lowSum3 = lowD.mul(dx3).fma(lowA3.add(lowB3).mul(0x1p-16f), lowSum3);
            highSum3 = highD.mul(dx3).fma(highA3.add(highB3).mul(0x1p-16f), highSum3);
        }
        lowSum0.intoArray(sums, to);
        highSum0.intoArray(sums, to + 16);
        lowSum1.intoArray(sums, to + 32);
        highSum1.intoArray(sums, to + 48);
        lowSum2.intoArray(sums, to + 64);
        highSum2.intoArray(sums, to + 80);
        lowSum3.intoArray(sums, to + 96);
        highSum3.intoArray(sums, to + 112);
    }
}

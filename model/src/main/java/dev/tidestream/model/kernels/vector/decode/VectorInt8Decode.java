package dev.tidestream.model.kernels.vector.decode;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.kernels.vector.base.VectorQuants;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.q40.Q40.Q4_BLOCK_BYTES;
import static dev.tidestream.model.format.q80.Q80.Q8_BLOCK_BYTES;
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

/** {@link VectorDecode} with int8 activations: two panels p and q, or four with r and t, at their addresses, one part of each. */
final class VectorInt8Decode {
    private VectorInt8Decode() {}

    /** Two products of int8 fit 16 bits (2 * 128 * 127 = 32512): add pairs of columns there, then widen. */
    static void q8(long p, long q, int part, int blocks, int[] x, float[] dx, float[] out, int toP, int toQ) {
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scalesP = (p + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsP = p + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            IntVector lowSumP = IntVector.zero(I);
            IntVector highSumP = IntVector.zero(I);
            long scalesQ = (q + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsQ = q + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            IntVector lowSumQ = IntVector.zero(I);
            IntVector highSumQ = IntVector.zero(I);
            for (int j = 0; j < BLOCK; j += 2) {
                ShortVector xa = IntVector.broadcast(I, x[block * BLOCK + j]).reinterpretAsShorts();
                ShortVector xb = IntVector.broadcast(I, x[block * BLOCK + j + 1]).reinterpretAsShorts();
                long atP = (quantsP + (long) j * ROWS) & ADDRESS;
                ShortVector aP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(xa);
                ShortVector bP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP + ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(xb);
                IntVector pairP = aP.add(bP).reinterpretAsInts();
                lowSumP = lowSumP.add(pairP.lanewise(LSHL, 16).lanewise(ASHR, 16));
                highSumP = highSumP.add(pairP.lanewise(ASHR, 16));
                long atQ = (quantsQ + (long) j * ROWS) & ADDRESS;
                ShortVector aQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(xa);
                ShortVector bQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ + ROWS, LITTLE)
                        .convertShape(B2S, S, 0).reinterpretAsShorts().mul(xb);
                IntVector pairQ = aQ.add(bQ).reinterpretAsInts();
                lowSumQ = lowSumQ.add(pairQ.lanewise(LSHL, 16).lanewise(ASHR, 16));
                highSumQ = highSumQ.add(pairQ.lanewise(ASHR, 16));
            }
            FloatVector dxb = FloatVector.broadcast(F, dx[block]);
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, scalesP, LITTLE);
            lowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(lowSumP.convert(I2F, 0).reinterpretAsFloats(), lowP);
            highP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(highSumP.convert(I2F, 0).reinterpretAsFloats(), highP);
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, scalesQ, LITTLE);
            lowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(lowSumQ.convert(I2F, 0).reinterpretAsFloats(), lowQ);
            highQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(highSumQ.convert(I2F, 0).reinterpretAsFloats(), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    /**
     * Nibbles stay unsigned and together, modulo 2^16: a byte is {@code q0 + 16 q1}, so {@code byte * x0 + q1 * (x1 - 16 x0)} is
     * {@code q0 x0 + q1 x1}. {@code sum((q - 8) x) = sum(q x) - 8 sum(x)}, and this result, at most 32 * 8 * 127 = 32512, fits 16
     * bits again. Four panels, since what counts here is how many reads are under way.
     *
     * @param y {@code DecodeScratch.differences}
     */
    static void q4(long p, long q, long r, long t, int part, int blocks, VectorQuants activations, int[] y, float[] out,
            int toP, int toQ, int toR, int toT) {
        int[] x = activations.quantPairs();
        int[] sums = activations.sums();
        float[] dx = activations.scales();
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        FloatVector lowR = FloatVector.zero(F);
        FloatVector highR = FloatVector.zero(F);
        FloatVector lowT = FloatVector.zero(F);
        FloatVector highT = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scalesP = (p + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsP = p + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            ShortVector evenP = ShortVector.broadcast(S, (short) (-8 * sums[block]));
            ShortVector oddP = ShortVector.zero(S);
            long scalesQ = (q + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsQ = q + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            ShortVector evenQ = ShortVector.broadcast(S, (short) (-8 * sums[block]));
            ShortVector oddQ = ShortVector.zero(S);
            long scalesR = (r + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsR = r + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            ShortVector evenR = ShortVector.broadcast(S, (short) (-8 * sums[block]));
            ShortVector oddR = ShortVector.zero(S);
            long scalesT = (t + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsT = t + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            ShortVector evenT = ShortVector.broadcast(S, (short) (-8 * sums[block]));
            ShortVector oddT = ShortVector.zero(S);
            for (int j = 0; j < 16; j += 2) {
                ShortVector xa = IntVector.broadcast(I, x[block * BLOCK + j]).reinterpretAsShorts();
                ShortVector xb = IntVector.broadcast(I, x[block * BLOCK + j + 1]).reinterpretAsShorts();
                ShortVector ya = IntVector.broadcast(I, y[block * BLOCK + j]).reinterpretAsShorts();
                ShortVector yb = IntVector.broadcast(I, y[block * BLOCK + j + 1]).reinterpretAsShorts();
                long atP = (quantsP + (long) j * ROWS) & ADDRESS;
                ShortVector aP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector bP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP + ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                evenP = evenP.add(aP.mul(xa)).add(aP.lanewise(LSHR, 4).mul(ya));
                oddP = oddP.add(bP.mul(xb)).add(bP.lanewise(LSHR, 4).mul(yb));
                long atQ = (quantsQ + (long) j * ROWS) & ADDRESS;
                ShortVector aQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector bQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ + ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                evenQ = evenQ.add(aQ.mul(xa)).add(aQ.lanewise(LSHR, 4).mul(ya));
                oddQ = oddQ.add(bQ.mul(xb)).add(bQ.lanewise(LSHR, 4).mul(yb));
                long atR = (quantsR + (long) j * ROWS) & ADDRESS;
                ShortVector aR = ByteVector.fromMemorySegment(HALF_B, MEMORY, atR, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector bR = ByteVector.fromMemorySegment(HALF_B, MEMORY, atR + ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                evenR = evenR.add(aR.mul(xa)).add(aR.lanewise(LSHR, 4).mul(ya));
                oddR = oddR.add(bR.mul(xb)).add(bR.lanewise(LSHR, 4).mul(yb));
                long atT = (quantsT + (long) j * ROWS) & ADDRESS;
                ShortVector aT = ByteVector.fromMemorySegment(HALF_B, MEMORY, atT, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector bT = ByteVector.fromMemorySegment(HALF_B, MEMORY, atT + ROWS, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                evenT = evenT.add(aT.mul(xa)).add(aT.lanewise(LSHR, 4).mul(ya));
                oddT = oddT.add(bT.mul(xb)).add(bT.lanewise(LSHR, 4).mul(yb));
            }
            FloatVector dxb = FloatVector.broadcast(F, dx[block]);
            IntVector pairP = evenP.add(oddP).reinterpretAsInts();
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, scalesP, LITTLE);
            lowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairP.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowP);
            highP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairP.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highP);
            IntVector pairQ = evenQ.add(oddQ).reinterpretAsInts();
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, scalesQ, LITTLE);
            lowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairQ.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowQ);
            highQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairQ.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highQ);
            IntVector pairR = evenR.add(oddR).reinterpretAsInts();
            IntVector dR = IntVector.fromMemorySegment(I, MEMORY, scalesR, LITTLE);
            lowR = dR.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairR.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowR);
            highR = dR.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairR.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highR);
            IntVector pairT = evenT.add(oddT).reinterpretAsInts();
            IntVector dT = IntVector.fromMemorySegment(I, MEMORY, scalesT, LITTLE);
            lowT = dT.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairT.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowT);
            highT = dT.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f).mul(dxb)
                    .fma(pairT.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highT);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
        lowR.intoArray(out, toR);
        highR.intoArray(out, toR + 16);
        lowT.intoArray(out, toT);
        highT.intoArray(out, toT + 16);
    }
}

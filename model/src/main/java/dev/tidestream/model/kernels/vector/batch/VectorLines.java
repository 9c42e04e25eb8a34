package dev.tidestream.model.kernels.vector.batch;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.q40.Q40.Q4_BLOCK_BYTES;
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
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

/**
 * Q4_0 with a group of four rows of int8 quants, two panels p and q at the addresses of their first blocks: unpack and multiply
 * fused, the trick of {@code VectorInt8Decode.q4}. A lane is a row of the panel. A broadcast of a code serves both panels, an
 * unpacked line serves all rows. Eight rows at a time are a method that is not always compiled. The rules are those of
 * {@code VectorDecode}; bounds are not checked (docs/adr/0007-unchecked-loads.md).
 */
final class VectorLines {
    private VectorLines() {}

    /**
     * A group of rows: {@code sums = fma(d * dx, dot, sums)}.
     *
     * @param x {@link VectorQuants#lineQuants} of the group from {@code 32 * group}
     * @param n (blocks, 4) sums of codes from {@code group}
     * @param dx (blocks, 4) from {@code group}
     * @param sums (4, 32) of p from {@code to}, of q from {@code toQ}
     */
    static void four(long p, long q, int part, int blocks, int[] x, int[] n, float[] dx, int group,
            float[] sums, int to, int toQ) {
        for (int block = 0; block < blocks; block++) {
            long scalesP = (p + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsP = p + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            long scalesQ = (q + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsQ = q + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            int dxAt = group + block * GROUP;
            int xAt = dxAt * BLOCK;
            ShortVector p0 = ShortVector.broadcast(S, (short) (-8 * n[dxAt]));
            ShortVector q0 = p0;
            ShortVector p1 = ShortVector.broadcast(S, (short) (-8 * n[dxAt + 1]));
            ShortVector q1 = p1;
            ShortVector p2 = ShortVector.broadcast(S, (short) (-8 * n[dxAt + 2]));
            ShortVector q2 = p2;
            ShortVector p3 = ShortVector.broadcast(S, (short) (-8 * n[dxAt + 3]));
            ShortVector q3 = p3;
            for (int j = 0; j < BLOCK / 2; j++) {
                long atP = (quantsP + (long) j * ROWS) & ADDRESS;
                long atQ = (quantsQ + (long) j * ROWS) & ADDRESS;
                ShortVector bytesP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector bytesQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                ShortVector highP = bytesP.lanewise(LSHR, 4);
                ShortVector highQ = bytesQ.lanewise(LSHR, 4);
                ShortVector x0 = IntVector.broadcast(I, x[xAt + j]).reinterpretAsShorts();
                ShortVector y0 = IntVector.broadcast(I, x[xAt + j + 16]).reinterpretAsShorts();
                p0 = p0.add(bytesP.mul(x0)).add(highP.mul(y0));
                q0 = q0.add(bytesQ.mul(x0)).add(highQ.mul(y0));
                ShortVector x1 = IntVector.broadcast(I, x[xAt + j + 32]).reinterpretAsShorts();
                ShortVector y1 = IntVector.broadcast(I, x[xAt + j + 48]).reinterpretAsShorts();
                p1 = p1.add(bytesP.mul(x1)).add(highP.mul(y1));
                q1 = q1.add(bytesQ.mul(x1)).add(highQ.mul(y1));
                ShortVector x2 = IntVector.broadcast(I, x[xAt + j + 64]).reinterpretAsShorts();
                ShortVector y2 = IntVector.broadcast(I, x[xAt + j + 80]).reinterpretAsShorts();
                p2 = p2.add(bytesP.mul(x2)).add(highP.mul(y2));
                q2 = q2.add(bytesQ.mul(x2)).add(highQ.mul(y2));
                ShortVector x3 = IntVector.broadcast(I, x[xAt + j + 96]).reinterpretAsShorts();
                ShortVector y3 = IntVector.broadcast(I, x[xAt + j + 112]).reinterpretAsShorts();
                p3 = p3.add(bytesP.mul(x3)).add(highP.mul(y3));
                q3 = q3.add(bytesQ.mul(x3)).add(highQ.mul(y3));
            }
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, scalesP, LITTLE);
            FloatVector lowDP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector highDP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, scalesQ, LITTLE);
            FloatVector lowDQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector highDQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dx0 = FloatVector.broadcast(F, dx[dxAt]);
            FloatVector dx1 = FloatVector.broadcast(F, dx[dxAt + 1]);
            FloatVector dx2 = FloatVector.broadcast(F, dx[dxAt + 2]);
            FloatVector dx3 = FloatVector.broadcast(F, dx[dxAt + 3]);
            lowDP.mul(dx0).fma(p0.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to)).intoArray(sums, to);
            highDP.mul(dx0).fma(p0.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 16)).intoArray(sums, to + 16);
            lowDQ.mul(dx0).fma(q0.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ)).intoArray(sums, toQ);
            highDQ.mul(dx0).fma(q0.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 16)).intoArray(sums, toQ + 16);
            lowDP.mul(dx1).fma(p1.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 32)).intoArray(sums, to + 32);
            highDP.mul(dx1).fma(p1.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 48)).intoArray(sums, to + 48);
            lowDQ.mul(dx1).fma(q1.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 32)).intoArray(sums, toQ + 32);
            highDQ.mul(dx1).fma(q1.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 48)).intoArray(sums, toQ + 48);
            lowDP.mul(dx2).fma(p2.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 64)).intoArray(sums, to + 64);
            highDP.mul(dx2).fma(p2.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 80)).intoArray(sums, to + 80);
            lowDQ.mul(dx2).fma(q2.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 64)).intoArray(sums, toQ + 64);
            highDQ.mul(dx2).fma(q2.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 80)).intoArray(sums, toQ + 80);
            lowDP.mul(dx3).fma(p3.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 96)).intoArray(sums, to + 96);
            highDP.mul(dx3).fma(p3.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, to + 112)).intoArray(sums, to + 112);
            lowDQ.mul(dx3).fma(q3.reinterpretAsInts().lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 96)).intoArray(sums, toQ + 96);
            highDQ.mul(dx3).fma(q3.reinterpretAsInts().lanewise(ASHR, 16).convert(I2F, 0)
                    .reinterpretAsFloats(), FloatVector.fromArray(F, sums, toQ + 112)).intoArray(sums, toQ + 112);
        }
    }
}

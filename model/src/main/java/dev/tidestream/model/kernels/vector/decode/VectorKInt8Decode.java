package dev.tidestream.model.kernels.vector.decode;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.kernels.vector.base.VectorQuants;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCKS;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCK_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_LINES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_BLOCK_BYTES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_BYTES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_LINES;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_BLOCKS;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_BLOCK_BYTES;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_BYTES;
import static dev.tidestream.model.format.q6k.Q6K.Q6K_LINES;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.ADDRESS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.MEMORY;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

/**
 * {@link VectorDecode} for K-quants with int8 activations: two panels p and q at their addresses, one part of each. Products are
 * summed in 16-bit lanes as long as they fit; then two rows of a 32-bit lane are widened.
 */
final class VectorKInt8Decode {
    private VectorKInt8Decode() {}

    /**
     * Nibbles stay together, as in {@link VectorInt8Decode#q4}. With 8 taken off each, the dot product of a block fits 16 bits;
     * what that takes off the whole is put back in 32 bits.
     *
     * @param y {@code DecodeScratch.differences}
     */
    static void q4(long p, long q, int part, int blocks, VectorQuants x, int[] y, float[] out, int toP, int toQ) {
        int[] sums = x.sums();
        float[] dx = x.scales();
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int first = 0; first < blocks; first += BLOCKS) {
            long superP = (p + (long) (first / BLOCKS) * Q4K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, superP, LITTLE);
            FloatVector dLowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            IntVector mP = IntVector.fromMemorySegment(I, MEMORY, superP + SCALE_BYTES, LITTLE);
            FloatVector mLowP = mP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector mHighP = mP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            long superQ = (q + (long) (first / BLOCKS) * Q4K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, superQ, LITTLE);
            FloatVector dLowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            IntVector mQ = IntVector.fromMemorySegment(I, MEMORY, superQ + SCALE_BYTES, LITTLE);
            FloatVector mLowQ = mQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector mHighQ = mQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            for (int i = 0; i < BLOCKS; i++) {
                int block = first + i;
                long blockP = (superP + Q4K_BLOCKS + i * (long) Q4K_BLOCK_BYTES) & ADDRESS;
                ShortVector firstP = ShortVector.broadcast(S, (short) (-8 * sums[block]));
                ShortVector secondP = ShortVector.zero(S);
                long blockQ = (superQ + Q4K_BLOCKS + i * (long) Q4K_BLOCK_BYTES) & ADDRESS;
                ShortVector firstQ = ShortVector.broadcast(S, (short) (-8 * sums[block]));
                ShortVector secondQ = ShortVector.zero(S);
                for (int line = 0; line < 2 * Q4K_LINES; line++) {
                    int k = block * BLOCK + 4 * line;
                    ShortVector y0 = IntVector.broadcast(I, y[k]).reinterpretAsShorts();
                    ShortVector y1 = IntVector.broadcast(I, y[k + 1]).reinterpretAsShorts();
                    ShortVector y2 = IntVector.broadcast(I, y[k + 2]).reinterpretAsShorts();
                    ShortVector y3 = IntVector.broadcast(I, y[k + 3]).reinterpretAsShorts();
                    long atP = (blockP + (1L + line) * LINE_BYTES) & ADDRESS;
                    ShortVector wP = ShortVector.fromMemorySegment(S, MEMORY, atP, LITTLE);
                    firstP = firstP.add(wP.mul(y0)).add(wP.lanewise(LSHR, 4).mul(y1));
                    secondP = secondP.add(wP.lanewise(LSHR, 8).mul(y2)).add(wP.lanewise(LSHR, 12).mul(y3));
                    long atQ = (blockQ + (1L + line) * LINE_BYTES) & ADDRESS;
                    ShortVector wQ = ShortVector.fromMemorySegment(S, MEMORY, atQ, LITTLE);
                    firstQ = firstQ.add(wQ.mul(y0)).add(wQ.lanewise(LSHR, 4).mul(y1));
                    secondQ = secondQ.add(wQ.lanewise(LSHR, 8).mul(y2)).add(wQ.lanewise(LSHR, 12).mul(y3));
                }
                IntVector eights = IntVector.broadcast(I, 8 * sums[block]);
                FloatVector dxb = FloatVector.broadcast(F, dx[block]);
                FloatVector minus = FloatVector.broadcast(F, (float) -sums[block]);
                IntVector dotP = firstP.add(secondP).reinterpretAsInts();
                IntVector lowDotP = dotP.lanewise(LSHL, 16).lanewise(ASHR, 16).add(eights);
                IntVector highDotP = dotP.lanewise(ASHR, 16).add(eights);
                IntVector sP = IntVector.fromMemorySegment(I, MEMORY, blockP, LITTLE);
                lowP = dLowP.mul(dxb).fma(sP.and(255).mul(lowDotP).convert(I2F, 0).reinterpretAsFloats(), lowP);
                lowP = mLowP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats().mul(minus), lowP);
                highP = dHighP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 16).and(255).mul(highDotP).convert(I2F, 0).reinterpretAsFloats(), highP);
                highP = mHighP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats().mul(minus), highP);
                IntVector dotQ = firstQ.add(secondQ).reinterpretAsInts();
                IntVector lowDotQ = dotQ.lanewise(LSHL, 16).lanewise(ASHR, 16).add(eights);
                IntVector highDotQ = dotQ.lanewise(ASHR, 16).add(eights);
                IntVector sQ = IntVector.fromMemorySegment(I, MEMORY, blockQ, LITTLE);
                lowQ = dLowQ.mul(dxb).fma(sQ.and(255).mul(lowDotQ).convert(I2F, 0).reinterpretAsFloats(), lowQ);
                lowQ = mLowQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats().mul(minus), lowQ);
                highQ = dHighQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 16).and(255).mul(highDotQ).convert(I2F, 0).reinterpretAsFloats(), highQ);
                highQ = mHighQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats().mul(minus), highQ);
            }
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    /** A sum for each place in the words, 5 products each, and column 15 added to the first: at most 6 * 31 * 127 = 23622. */
    static void q5(long p, long q, int part, int blocks, VectorQuants x, float[] out, int toP, int toQ) {
        int[] codes = x.quantPairs();
        int[] sums = x.sums();
        float[] dx = x.scales();
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int first = 0; first < blocks; first += BLOCKS) {
            long superP = (p + (long) (first / BLOCKS) * Q5K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, superP, LITTLE);
            FloatVector dLowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            IntVector mP = IntVector.fromMemorySegment(I, MEMORY, superP + SCALE_BYTES, LITTLE);
            FloatVector mLowP = mP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector mHighP = mP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            long superQ = (q + (long) (first / BLOCKS) * Q5K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, superQ, LITTLE);
            FloatVector dLowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            IntVector mQ = IntVector.fromMemorySegment(I, MEMORY, superQ + SCALE_BYTES, LITTLE);
            FloatVector mLowQ = mQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector mHighQ = mQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            for (int i = 0; i < BLOCKS; i++) {
                int block = first + i;
                long blockP = (superP + Q4K_BLOCKS + i * (long) Q5K_BLOCK_BYTES) & ADDRESS;
                IntVector lowDotP = IntVector.zero(I);
                IntVector highDotP = IntVector.zero(I);
                long blockQ = (superQ + Q4K_BLOCKS + i * (long) Q5K_BLOCK_BYTES) & ADDRESS;
                IntVector lowDotQ = IntVector.zero(I);
                IntVector highDotQ = IntVector.zero(I);
                for (int half = 0; half < 2; half++) {
                    ShortVector firstP = ShortVector.zero(S);
                    ShortVector secondP = ShortVector.zero(S);
                    ShortVector thirdP = ShortVector.zero(S);
                    ShortVector lastP = ShortVector.zero(S); // bits of column 15 enter at the top
                    long quantsP = blockP + (1 + half * Q5K_LINES) * (long) LINE_BYTES;
                    ShortVector firstQ = ShortVector.zero(S);
                    ShortVector secondQ = ShortVector.zero(S);
                    ShortVector thirdQ = ShortVector.zero(S);
                    ShortVector lastQ = ShortVector.zero(S); // bits of column 15 enter at the top
                    long quantsQ = blockQ + (1 + half * Q5K_LINES) * (long) LINE_BYTES;
                    int k = block * BLOCK + half * 16;
                    for (int w = 0; w < Q5K_LINES; w++) {
                        ShortVector x0 = IntVector.broadcast(I, codes[k + 3 * w]).reinterpretAsShorts();
                        ShortVector x1 = IntVector.broadcast(I, codes[k + 3 * w + 1]).reinterpretAsShorts();
                        ShortVector x2 = IntVector.broadcast(I, codes[k + 3 * w + 2]).reinterpretAsShorts();
                        long atP = (quantsP + (long) w * LINE_BYTES) & ADDRESS;
                        ShortVector wP = ShortVector.fromMemorySegment(S, MEMORY, atP, LITTLE);
                        lastP = lastP.lanewise(LSHR, 1).or(wP.and((short) 0x8000));
                        firstP = firstP.add(wP.and((short) 31).mul(x0));
                        secondP = secondP.add(wP.lanewise(LSHR, 5).and((short) 31).mul(x1));
                        thirdP = thirdP.add(wP.lanewise(LSHR, 10).and((short) 31).mul(x2));
                        long atQ = (quantsQ + (long) w * LINE_BYTES) & ADDRESS;
                        ShortVector wQ = ShortVector.fromMemorySegment(S, MEMORY, atQ, LITTLE);
                        lastQ = lastQ.lanewise(LSHR, 1).or(wQ.and((short) 0x8000));
                        firstQ = firstQ.add(wQ.and((short) 31).mul(x0));
                        secondQ = secondQ.add(wQ.lanewise(LSHR, 5).and((short) 31).mul(x1));
                        thirdQ = thirdQ.add(wQ.lanewise(LSHR, 10).and((short) 31).mul(x2));
                    }
                    ShortVector x15 = IntVector.broadcast(I, codes[k + 15]).reinterpretAsShorts();
                    IntVector aP = firstP.add(lastP.lanewise(LSHR, 11).mul(x15)).reinterpretAsInts();
                    IntVector bP = secondP.reinterpretAsInts();
                    IntVector cP = thirdP.reinterpretAsInts();
                    lowDotP = lowDotP.add(aP.lanewise(LSHL, 16).lanewise(ASHR, 16)).add(bP.lanewise(LSHL, 16).lanewise(ASHR, 16))
                            .add(cP.lanewise(LSHL, 16).lanewise(ASHR, 16));
                    highDotP = highDotP.add(aP.lanewise(ASHR, 16)).add(bP.lanewise(ASHR, 16)).add(cP.lanewise(ASHR, 16));
                    IntVector aQ = firstQ.add(lastQ.lanewise(LSHR, 11).mul(x15)).reinterpretAsInts();
                    IntVector bQ = secondQ.reinterpretAsInts();
                    IntVector cQ = thirdQ.reinterpretAsInts();
                    lowDotQ = lowDotQ.add(aQ.lanewise(LSHL, 16).lanewise(ASHR, 16)).add(bQ.lanewise(LSHL, 16).lanewise(ASHR, 16))
                            .add(cQ.lanewise(LSHL, 16).lanewise(ASHR, 16));
                    highDotQ = highDotQ.add(aQ.lanewise(ASHR, 16)).add(bQ.lanewise(ASHR, 16)).add(cQ.lanewise(ASHR, 16));
                }
                FloatVector dxb = FloatVector.broadcast(F, dx[block]);
                FloatVector minus = FloatVector.broadcast(F, (float) -sums[block]);
                IntVector sP = IntVector.fromMemorySegment(I, MEMORY, blockP, LITTLE);
                lowP = dLowP.mul(dxb).fma(sP.and(255).mul(lowDotP).convert(I2F, 0).reinterpretAsFloats(), lowP);
                lowP = mLowP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats().mul(minus), lowP);
                highP = dHighP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 16).and(255).mul(highDotP).convert(I2F, 0).reinterpretAsFloats(), highP);
                highP = mHighP.mul(dxb)
                        .fma(sP.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats().mul(minus), highP);
                IntVector sQ = IntVector.fromMemorySegment(I, MEMORY, blockQ, LITTLE);
                lowQ = dLowQ.mul(dxb).fma(sQ.and(255).mul(lowDotQ).convert(I2F, 0).reinterpretAsFloats(), lowQ);
                lowQ = mLowQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats().mul(minus), lowQ);
                highQ = dHighQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 16).and(255).mul(highDotQ).convert(I2F, 0).reinterpretAsFloats(), highQ);
                highQ = mHighQ.mul(dxb)
                        .fma(sQ.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats().mul(minus), highQ);
            }
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    /** The products of 8 columns fit 16 bits: 8 * 32 * 127 = 32512. */
    static void q6(long p, long q, int part, int blocks, VectorQuants x, float[] out, int toP, int toQ) {
        int[] codes = x.quantPairs();
        float[] dx = x.scales();
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int first = 0; first < blocks; first += BLOCKS) {
            long superP = (p + (long) (first / BLOCKS) * Q6K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, superP, LITTLE);
            FloatVector dLowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            long superQ = (q + (long) (first / BLOCKS) * Q6K_BYTES + part * 4L * L) & ADDRESS;
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, superQ, LITTLE);
            FloatVector dLowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
            FloatVector dHighQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f);
            for (int i = 0; i < BLOCKS; i++) {
                long blockP = (superP + Q6K_BLOCKS + i * (long) Q6K_BLOCK_BYTES) & ADDRESS;
                IntVector sP = IntVector.fromMemorySegment(I, MEMORY, blockP, LITTLE);
                IntVector lowSumP = IntVector.zero(I);
                IntVector highSumP = IntVector.zero(I);
                long blockQ = (superQ + Q6K_BLOCKS + i * (long) Q6K_BLOCK_BYTES) & ADDRESS;
                IntVector sQ = IntVector.fromMemorySegment(I, MEMORY, blockQ, LITTLE);
                IntVector lowSumQ = IntVector.zero(I);
                IntVector highSumQ = IntVector.zero(I);
                for (int group = 0; group < 4; group++) { // of 8 columns; two groups have a scale
                    int shift = group / 2 * 8;
                    int k = (first + i) * BLOCK + group * 8;
                    ShortVector x0 = IntVector.broadcast(I, codes[k]).reinterpretAsShorts();
                    ShortVector x1 = IntVector.broadcast(I, codes[k + 1]).reinterpretAsShorts();
                    ShortVector x2 = IntVector.broadcast(I, codes[k + 2]).reinterpretAsShorts();
                    ShortVector x3 = IntVector.broadcast(I, codes[k + 3]).reinterpretAsShorts();
                    ShortVector x4 = IntVector.broadcast(I, codes[k + 4]).reinterpretAsShorts();
                    ShortVector x5 = IntVector.broadcast(I, codes[k + 5]).reinterpretAsShorts();
                    ShortVector x6 = IntVector.broadcast(I, codes[k + 6]).reinterpretAsShorts();
                    ShortVector x7 = IntVector.broadcast(I, codes[k + 7]).reinterpretAsShorts();
                    long atP = (blockP + (1 + group * Q6K_LINES) * (long) LINE_BYTES) & ADDRESS;
                    ShortVector aP = ShortVector.fromMemorySegment(S, MEMORY, atP, LITTLE);
                    ShortVector bP = ShortVector.fromMemorySegment(S, MEMORY, atP + LINE_BYTES, LITTLE);
                    ShortVector cP = ShortVector.fromMemorySegment(S, MEMORY, atP + 2 * LINE_BYTES, LITTLE);
                    ShortVector evenP = aP.lanewise(ASHR, 10).mul(x0).add(bP.lanewise(ASHR, 10).mul(x2))
                            .add(cP.lanewise(ASHR, 10).mul(x4));
                    ShortVector oddP = aP.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x1)
                            .add(bP.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x3))
                            .add(cP.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x5));
                    evenP = evenP
                            .add(aP.lanewise(LSHL, 12).or(bP.lanewise(LSHL, 10).and((short) 0x0c00)).lanewise(ASHR, 10).mul(x6));
                    oddP = oddP
                            .add(cP.lanewise(LSHL, 12).or(bP.lanewise(LSHL, 8).and((short) 0x0c00)).lanewise(ASHR, 10).mul(x7));
                    IntVector dotP = evenP.add(oddP).reinterpretAsInts();
                    lowSumP = lowSumP.add(sP.lanewise(LSHL, 24 - shift).lanewise(ASHR, 24)
                            .mul(dotP.lanewise(LSHL, 16).lanewise(ASHR, 16)));
                    highSumP = highSumP.add(sP.lanewise(LSHL, 8 - shift).lanewise(ASHR, 24).mul(dotP.lanewise(ASHR, 16)));
                    long atQ = (blockQ + (1 + group * Q6K_LINES) * (long) LINE_BYTES) & ADDRESS;
                    ShortVector aQ = ShortVector.fromMemorySegment(S, MEMORY, atQ, LITTLE);
                    ShortVector bQ = ShortVector.fromMemorySegment(S, MEMORY, atQ + LINE_BYTES, LITTLE);
                    ShortVector cQ = ShortVector.fromMemorySegment(S, MEMORY, atQ + 2 * LINE_BYTES, LITTLE);
                    ShortVector evenQ = aQ.lanewise(ASHR, 10).mul(x0).add(bQ.lanewise(ASHR, 10).mul(x2))
                            .add(cQ.lanewise(ASHR, 10).mul(x4));
                    ShortVector oddQ = aQ.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x1)
                            .add(bQ.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x3))
                            .add(cQ.lanewise(LSHL, 6).lanewise(ASHR, 10).mul(x5));
                    evenQ = evenQ
                            .add(aQ.lanewise(LSHL, 12).or(bQ.lanewise(LSHL, 10).and((short) 0x0c00)).lanewise(ASHR, 10).mul(x6));
                    oddQ = oddQ
                            .add(cQ.lanewise(LSHL, 12).or(bQ.lanewise(LSHL, 8).and((short) 0x0c00)).lanewise(ASHR, 10).mul(x7));
                    IntVector dotQ = evenQ.add(oddQ).reinterpretAsInts();
                    lowSumQ = lowSumQ.add(sQ.lanewise(LSHL, 24 - shift).lanewise(ASHR, 24)
                            .mul(dotQ.lanewise(LSHL, 16).lanewise(ASHR, 16)));
                    highSumQ = highSumQ.add(sQ.lanewise(LSHL, 8 - shift).lanewise(ASHR, 24).mul(dotQ.lanewise(ASHR, 16)));
                }
                FloatVector dxb = FloatVector.broadcast(F, dx[first + i]);
                lowP = dLowP.mul(dxb).fma(lowSumP.convert(I2F, 0).reinterpretAsFloats(), lowP);
                highP = dHighP.mul(dxb).fma(highSumP.convert(I2F, 0).reinterpretAsFloats(), highP);
                lowQ = dLowQ.mul(dxb).fma(lowSumQ.convert(I2F, 0).reinterpretAsFloats(), lowQ);
                highQ = dHighQ.mul(dxb).fma(highSumQ.convert(I2F, 0).reinterpretAsFloats(), highQ);
            }
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }
}

package dev.tidestream.model.kernels.vector.decode;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.BLOCKS;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCKS;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCK_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_LINES;
import static dev.tidestream.model.format.q5k.Q5K.Q5K_BLOCK_BYTES;
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
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

/**
 * {@link VectorDecode} for K-quants with float activations (the head). A 32-bit lane holds the word of row r in its lower half
 * and that of row r + 16 in its upper half; shifts bring one integer of one of them into place. The scales of a super-block are
 * multiplied out first, into arrays: see {@link VectorKDecode}.
 */
final class VectorKFloatDecode {
    private static final int TOP = 0xfc000000;

    private VectorKFloatDecode() {}

    /** Q4_K, one panel. */
    static void q4(PanelMatrix w, int panel, Activations x, Scratch scratch, float[] out, int outOffset) {
        MemorySegment data = w.panelData();
        Arrays.fill(out, outOffset, outOffset + ROWS, 0f);
        for (int part = 0; part < PARTS; part++) {
            for (int k = 0; k < w.columns(); k += SUPER_BLOCK) {
                long at = w.panelOffset(panel) + w.format().shape().unitOf(k) + part * 4L * L;
                factors(data, at, Q4K_BLOCK_BYTES, scratch.factors());
                offsets(data, at, Q4K_BLOCK_BYTES, scratch.offsets());
                chain4(data, at + Q4K_BLOCKS, scratch.factors(), scratch.offsets(), x.values(), k, out, outOffset + part * L);
            }
        }
    }

    /** Q5_K, one panel. */
    static void q5(PanelMatrix w, int panel, Activations x, Scratch scratch, float[] out, int outOffset) {
        MemorySegment data = w.panelData();
        Arrays.fill(out, outOffset, outOffset + ROWS, 0f);
        for (int part = 0; part < PARTS; part++) {
            for (int k = 0; k < w.columns(); k += SUPER_BLOCK) {
                long at = w.panelOffset(panel) + w.format().shape().unitOf(k) + part * 4L * L;
                factors(data, at, Q5K_BLOCK_BYTES, scratch.factors());
                offsets(data, at, Q5K_BLOCK_BYTES, scratch.offsets());
                chain5(data, at + Q4K_BLOCKS, scratch.factors(), scratch.offsets(), x.values(), k, out, outOffset + part * L);
            }
        }
    }

    /** {@code d * scale} of Q4_K and Q5_K, (8 blocks, 2 L). */
    private static void factors(MemorySegment data, long at, int blockBytes, float[] factors) {
        FloatVector low = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3)
                .and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
        FloatVector high = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_BLOCKS + (long) block * blockBytes, LITTLE);
            low.mul(pairs.and(255).convert(I2F, 0).reinterpretAsFloats()).intoArray(factors, block * 2 * L);
            high.mul(pairs.lanewise(LSHR, 16).and(255).convert(I2F, 0).reinterpretAsFloats())
                    .intoArray(factors, block * 2 * L + L);
        }
    }

    /** {@code -(dmin * min)}, (8 blocks, 2 L). */
    private static void offsets(MemorySegment data, long at, int blockBytes, float[] offsets) {
        FloatVector low = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3)
                .and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).neg();
        FloatVector high = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f).neg();
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_BLOCKS + (long) block * blockBytes, LITTLE);
            low.mul(pairs.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats()).intoArray(offsets, block * 2 * L);
            high.mul(pairs.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats()).intoArray(offsets, block * 2 * L + L);
        }
    }

    private static void chain4(
            MemorySegment data, long at, float[] factors, float[] offsets, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.fromArray(F, out, to);
        FloatVector high = FloatVector.fromArray(F, out, to + 16);
        for (int line = 0; line < 16 * Q4K_LINES; line++) {
            long scales = at + line / (2 * Q4K_LINES) * (long) Q4K_BLOCK_BYTES;
            IntVector q = IntVector.fromMemorySegment(
                    I, data, scales + (1 + line % (2 * Q4K_LINES)) * (long) LINE_BYTES, LITTLE);
            int block = line / (2 * Q4K_LINES) * 2 * L;
            FloatVector lowFactor = FloatVector.fromArray(F, factors, block);
            FloatVector highFactor = FloatVector.fromArray(F, factors, block + L);
            FloatVector lowOffset = FloatVector.fromArray(F, offsets, block);
            FloatVector highOffset = FloatVector.fromArray(F, offsets, block + L);
            for (int j = 0; j < 4; j++) {
                FloatVector xk = FloatVector.broadcast(F, x[xFrom + 4 * line + j]);
                low = xk.fma(q.and(15).convert(I2F, 0).reinterpretAsFloats().fma(lowFactor, lowOffset), low);
                high = xk.fma(q.lanewise(LSHR, 16).and(15).convert(I2F, 0).reinterpretAsFloats()
                        .fma(highFactor, highOffset), high);
                q = q.lanewise(LSHR, 4);
            }
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    private static void chain5(
            MemorySegment data, long at, float[] factors, float[] offsets, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.fromArray(F, out, to);
        FloatVector high = FloatVector.fromArray(F, out, to + 16);
        for (int group = 0; group < 2 * BLOCKS; group++) {
            FloatVector lowFactor = FloatVector.fromArray(F, factors, group / 2 * 2 * L);
            FloatVector highFactor = FloatVector.fromArray(F, factors, group / 2 * 2 * L + L);
            FloatVector lowOffset = FloatVector.fromArray(F, offsets, group / 2 * 2 * L);
            FloatVector highOffset = FloatVector.fromArray(F, offsets, group / 2 * 2 * L + L);
            IntVector last = IntVector.zero(I); // bits of column 15 enter at the top of both halves
            int k = xFrom + group * 16;
            long lines = at + group / 2 * (long) Q5K_BLOCK_BYTES + (1 + group % 2 * Q5K_LINES) * (long) LINE_BYTES;
            for (int w = 0; w < Q5K_LINES; w++) {
                IntVector q = IntVector.fromMemorySegment(I, data, lines + w * (long) LINE_BYTES, LITTLE);
                last = last.lanewise(LSHR, 1).and(0x7fff7fff).or(q.and(0x80008000));
                for (int j = 0; j < 3; j++) {
                    FloatVector xk = FloatVector.broadcast(F, x[k + 3 * w + j]);
                    low = xk.fma(q.and(31).convert(I2F, 0).reinterpretAsFloats().fma(lowFactor, lowOffset), low);
                    high = xk.fma(q.lanewise(LSHR, 16).and(31).convert(I2F, 0).reinterpretAsFloats()
                            .fma(highFactor, highOffset), high);
                    q = q.lanewise(LSHR, 5);
                }
            }
            FloatVector xk = FloatVector.broadcast(F, x[k + 15]);
            low = xk.fma(last.lanewise(LSHR, 11).and(31).convert(I2F, 0).reinterpretAsFloats().fma(lowFactor, lowOffset), low);
            high = xk.fma(last.lanewise(LSHR, 27).convert(I2F, 0).reinterpretAsFloats().fma(highFactor, highOffset), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /**
     * Integers are converted where they lie at the top of a lane, and so 2^26 times too large: see {@link VectorFloatDecode}.
     */
    static void q6(long p, long q, int part, int blocks, float[] x, float[] out, int toP, int toQ) {
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
            for (int i = 0; i < 2 * BLOCKS; i++) { // halves of blocks, with a scale each
                long blockP = (superP + Q6K_BLOCKS + i / 2 * (long) Q6K_BLOCK_BYTES) & ADDRESS;
                FloatVector lowBothP = FloatVector.zero(F); // a, then a + b; neither is -0, so that 0 + a is a
                FloatVector highBothP = FloatVector.zero(F);
                long blockQ = (superQ + Q6K_BLOCKS + i / 2 * (long) Q6K_BLOCK_BYTES) & ADDRESS;
                FloatVector lowBothQ = FloatVector.zero(F); // a, then a + b; neither is -0, so that 0 + a is a
                FloatVector highBothQ = FloatVector.zero(F);
                for (int chain = 0; chain < 2; chain++) {
                    int k = first * BLOCK + i * 16 + chain * 8;
                    long atP = (blockP + (1 + (i % 2 * 2 + chain) * Q6K_LINES) * (long) LINE_BYTES) & ADDRESS;
                    IntVector aP = IntVector.fromMemorySegment(I, MEMORY, atP, LITTLE);
                    IntVector bP = IntVector.fromMemorySegment(I, MEMORY, atP + LINE_BYTES, LITTLE);
                    IntVector cP = IntVector.fromMemorySegment(I, MEMORY, atP + 2 * LINE_BYTES, LITTLE);
                    IntVector eP = aP.lanewise(LSHL, 12).and(0xf000f000).or(bP.lanewise(LSHL, 10).and(0x0c000c00));
                    IntVector fP = cP.lanewise(LSHL, 12).and(0xf000f000).or(bP.lanewise(LSHL, 8).and(0x0c000c00));
                    FloatVector low8P = FloatVector.zero(F);
                    FloatVector high8P = FloatVector.zero(F);
                    long atQ = (blockQ + (1 + (i % 2 * 2 + chain) * Q6K_LINES) * (long) LINE_BYTES) & ADDRESS;
                    IntVector aQ = IntVector.fromMemorySegment(I, MEMORY, atQ, LITTLE);
                    IntVector bQ = IntVector.fromMemorySegment(I, MEMORY, atQ + LINE_BYTES, LITTLE);
                    IntVector cQ = IntVector.fromMemorySegment(I, MEMORY, atQ + 2 * LINE_BYTES, LITTLE);
                    IntVector eQ = aQ.lanewise(LSHL, 12).and(0xf000f000).or(bQ.lanewise(LSHL, 10).and(0x0c000c00));
                    IntVector fQ = cQ.lanewise(LSHL, 12).and(0xf000f000).or(bQ.lanewise(LSHL, 8).and(0x0c000c00));
                    FloatVector low8Q = FloatVector.zero(F);
                    FloatVector high8Q = FloatVector.zero(F);
                    FloatVector x0 = FloatVector.broadcast(F, x[k + 0]);
                    low8P = x0.fma(aP.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x0.fma(aP.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x0.fma(aQ.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x0.fma(aQ.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x1 = FloatVector.broadcast(F, x[k + 1]);
                    low8P = x1.fma(aP.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x1.fma(aP.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x1.fma(aQ.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x1.fma(aQ.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x2 = FloatVector.broadcast(F, x[k + 2]);
                    low8P = x2.fma(bP.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x2.fma(bP.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x2.fma(bQ.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x2.fma(bQ.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x3 = FloatVector.broadcast(F, x[k + 3]);
                    low8P = x3.fma(bP.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x3.fma(bP.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x3.fma(bQ.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x3.fma(bQ.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x4 = FloatVector.broadcast(F, x[k + 4]);
                    low8P = x4.fma(cP.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x4.fma(cP.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x4.fma(cQ.lanewise(LSHL, 16).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x4.fma(cQ.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x5 = FloatVector.broadcast(F, x[k + 5]);
                    low8P = x5.fma(cP.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x5.fma(cP.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x5.fma(cQ.lanewise(LSHL, 22).and(TOP).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x5.fma(cQ.lanewise(LSHL, 6).and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x6 = FloatVector.broadcast(F, x[k + 6]);
                    low8P = x6.fma(eP.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x6.fma(eP.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    low8Q = x6.fma(eQ.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x6.fma(eQ.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    FloatVector x7 = FloatVector.broadcast(F, x[k + 7]);
                    low8P = x7.fma(fP.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), low8P);
                    high8P = x7.fma(fP.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8P);
                    lowBothP = lowBothP.add(low8P);
                    highBothP = highBothP.add(high8P);
                    low8Q = x7.fma(fQ.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), low8Q);
                    high8Q = x7.fma(fQ.and(TOP).convert(I2F, 0).reinterpretAsFloats(), high8Q);
                    lowBothQ = lowBothQ.add(low8Q);
                    highBothQ = highBothQ.add(high8Q);
                }
                int shift = i % 2 * 8;
                IntVector sP = IntVector.fromMemorySegment(I, MEMORY, blockP, LITTLE);
                lowP = dLowP.mul(sP.lanewise(LSHL, 24 - shift).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                        .fma(lowBothP.mul(0x1p-26f), lowP);
                highP = dHighP.mul(sP.lanewise(LSHL, 8 - shift).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                        .fma(highBothP.mul(0x1p-26f), highP);
                IntVector sQ = IntVector.fromMemorySegment(I, MEMORY, blockQ, LITTLE);
                lowQ = dLowQ.mul(sQ.lanewise(LSHL, 24 - shift).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                        .fma(lowBothQ.mul(0x1p-26f), lowQ);
                highQ = dHighQ.mul(sQ.lanewise(LSHL, 8 - shift).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                        .fma(highBothQ.mul(0x1p-26f), highQ);
            }
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }
}

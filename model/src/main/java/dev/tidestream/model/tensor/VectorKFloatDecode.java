package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

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
import static dev.tidestream.model.tensor.PanelLayout.SUPER_BLOCK;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.LITTLE;
import static dev.tidestream.model.tensor.VectorShapes.PARTS;
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
    private VectorKFloatDecode() {}

    /** Like {@link VectorDecode#panel}. */
    static void panel(PanelMatrix w, int panel, Activations x, Scratch scratch, float[] out, int outOffset) {
        MemorySegment data = w.data();
        float[] factors = scratch.factors();
        float[] offsets = scratch.offsets();
        int bytes = PanelLayout.blockBytes(w.format());
        Arrays.fill(out, outOffset, outOffset + ROWS, 0f);
        for (int part = 0; part < PARTS; part++) {
            int to = outOffset + part * L;
            for (int k = 0; k < w.columns(); k += SUPER_BLOCK) {
                long at = w.panelOffset(panel) + (long) (k / SUPER_BLOCK) * bytes + part * 4L * L;
                switch (w.format()) {
                    case Q4_K -> {
                        factors(data, at, factors);
                        offsets(data, at, offsets);
                        chain4(data, at + Q4K_QUANTS, factors, offsets, x.values(), k, out, to);
                    }
                    case Q5_K -> {
                        factors(data, at, factors);
                        offsets(data, at, offsets);
                        chain5(data, at + Q4K_QUANTS, factors, offsets, x.values(), k, out, to);
                    }
                    case Q6_K -> {
                        halfFactors(data, at, factors);
                        chains6(data, at + Q6K_QUANTS, factors, x.values(), k, out, to);
                    }
                    case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + w.format());
                }
            }
        }
    }

    /** {@code d * scale} of Q4_K and Q5_K, (8 blocks, 2 L). */
    private static void factors(MemorySegment data, long at, float[] factors) {
        FloatVector low = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3)
                .and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
        FloatVector high = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_SCALES + (long) block * LINE_BYTES, LITTLE);
            low.mul(pairs.and(255).convert(I2F, 0).reinterpretAsFloats()).intoArray(factors, block * 2 * L);
            high.mul(pairs.lanewise(LSHR, 16).and(255).convert(I2F, 0).reinterpretAsFloats())
                    .intoArray(factors, block * 2 * L + L);
        }
    }

    /** {@code -(dmin * min)}, (8 blocks, 2 L). */
    private static void offsets(MemorySegment data, long at, float[] offsets) {
        FloatVector low = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3)
                .and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f).neg();
        FloatVector high = IntVector.fromMemorySegment(I, data, at + SCALE_BYTES, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f).neg();
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q4K_SCALES + (long) block * LINE_BYTES, LITTLE);
            low.mul(pairs.lanewise(LSHR, 8).and(255).convert(I2F, 0).reinterpretAsFloats()).intoArray(offsets, block * 2 * L);
            high.mul(pairs.lanewise(LSHR, 24).convert(I2F, 0).reinterpretAsFloats()).intoArray(offsets, block * 2 * L + L);
        }
    }

    /** {@code d * scale} of Q6_K, (16 groups of 16 columns, 2 L). */
    private static void halfFactors(MemorySegment data, long at, float[] factors) {
        FloatVector low = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(LSHL, 16).lanewise(ASHR, 3)
                .and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f);
        FloatVector high = IntVector.fromMemorySegment(I, data, at, LITTLE).lanewise(ASHR, 3).and(0x8fffe000)
                .reinterpretAsFloats().mul(0x1p112f);
        for (int block = 0; block < BLOCKS; block++) {
            IntVector pairs = IntVector.fromMemorySegment(I, data, at + Q6K_SCALES + (long) block * LINE_BYTES, LITTLE);
            low.mul(pairs.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                    .intoArray(factors, block * 4 * L);
            high.mul(pairs.lanewise(LSHL, 8).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                    .intoArray(factors, block * 4 * L + L);
            low.mul(pairs.lanewise(LSHL, 16).lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats())
                    .intoArray(factors, block * 4 * L + 2 * L);
            high.mul(pairs.lanewise(ASHR, 24).convert(I2F, 0).reinterpretAsFloats()).intoArray(factors, block * 4 * L + 3 * L);
        }
    }

    private static void chain4(
            MemorySegment data, long lines, float[] factors, float[] offsets, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.fromArray(F, out, to);
        FloatVector high = FloatVector.fromArray(F, out, to + 16);
        for (int line = 0; line < 16 * Q4K_LINES; line++) {
            IntVector q = IntVector.fromMemorySegment(I, data, lines + line * (long) LINE_BYTES, LITTLE);
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
            for (int w = 0; w < Q5K_LINES; w++) {
                IntVector q = IntVector.fromMemorySegment(I, data, at + (group * Q5K_LINES + w) * (long) LINE_BYTES, LITTLE);
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

    private static void chains6(
            MemorySegment data, long at, float[] factors, float[] x, int xFrom, float[] out, int to) {
        FloatVector low = FloatVector.fromArray(F, out, to);
        FloatVector high = FloatVector.fromArray(F, out, to + 16);
        for (int group = 0; group < 2 * BLOCKS; group++) {
            FloatVector lowBoth = FloatVector.zero(F); // a, then a + b; neither is -0, so that 0 + a is a
            FloatVector highBoth = FloatVector.zero(F);
            for (int chain = 0; chain < 2; chain++) {
                long lines = at + (group * 2 + chain) * (long) (Q6K_LINES * LINE_BYTES);
                int k = xFrom + group * 16 + chain * 8;
                FloatVector lowChain = FloatVector.zero(F);
                FloatVector highChain = FloatVector.zero(F);
                for (int w = 0; w < Q6K_LINES; w++) {
                    IntVector q = IntVector.fromMemorySegment(I, data, lines + w * (long) LINE_BYTES, LITTLE);
                    FloatVector first = FloatVector.broadcast(F, x[k + 2 * w]);
                    FloatVector second = FloatVector.broadcast(F, x[k + 2 * w + 1]);
                    lowChain = second.fma(q.lanewise(LSHL, 22).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(),
                            first.fma(q.lanewise(LSHL, 16).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(), lowChain));
                    highChain = second.fma(q.lanewise(LSHL, 6).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(),
                            first.fma(q.lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(), highChain));
                }
                IntVector middle = IntVector.fromMemorySegment(I, data, lines + LINE_BYTES, LITTLE).lanewise(LSHL, 10);
                for (int rest = 0; rest < 2; rest++) {
                    IntVector q = IntVector.fromMemorySegment(I, data, lines + rest * 2L * LINE_BYTES, LITTLE)
                            .lanewise(LSHL, 12).and(0xf000f000)
                            .or(middle.and(0x0c000c00));
                    FloatVector xk = FloatVector.broadcast(F, x[k + 6 + rest]);
                    lowChain = xk.fma(q.lanewise(LSHL, 16).lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(), lowChain);
                    highChain = xk.fma(q.lanewise(ASHR, 26).convert(I2F, 0).reinterpretAsFloats(), highChain);
                    middle = middle.lanewise(LSHR, 2);
                }
                lowBoth = lowBoth.add(lowChain);
                highBoth = highBoth.add(highChain);
            }
            low = FloatVector.fromArray(F, factors, group * 2 * L).fma(lowBoth, low);
            high = FloatVector.fromArray(F, factors, group * 2 * L + L).fma(highBoth, high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }
}

package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
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
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.LITTLE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

/**
 * {@link VectorDecode} for K-quants with float activations (the head). A 32-bit lane holds the word of row r in its lower half and
 * that of row r + 16 in its upper half; shifts bring one integer of one of them into place.
 */
final class VectorKFloatDecode {
    private VectorKFloatDecode() {}

    /** One part of a panel of Q4_K. */
    static void q4(MemorySegment data, long at, int superBlocks, float[] x, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < superBlocks * BLOCKS; block++) {
            long front = at + (long) (block / BLOCKS) * Q4K_BYTES;
            long quants = front + Q4K_QUANTS + (long) (block % BLOCKS) * (2 * Q4K_LINES * LINE_BYTES);
            IntVector scales = ints(data, front + Q4K_SCALES + (long) (block % BLOCKS) * LINE_BYTES);
            IntVector d = ints(data, front);
            IntVector dmin = ints(data, front + SCALE_BYTES);
            FloatVector lowScale = VectorHalf.lowHalf(d).mul(toFloat(scales.and(255)));
            FloatVector highScale = VectorHalf.highHalf(d).mul(toFloat(scales.lanewise(LSHR, 16).and(255)));
            FloatVector lowMin = VectorHalf.lowHalf(dmin).mul(toFloat(scales.lanewise(LSHR, 8).and(255))).neg();
            FloatVector highMin = VectorHalf.highHalf(dmin).mul(toFloat(scales.lanewise(LSHR, 24))).neg();
            for (int w = 0; w < 2 * Q4K_LINES; w++) {
                IntVector q = ints(data, quants + w * (long) LINE_BYTES);
                int k = block * BLOCK + w * 4;
                for (int j = 0; j < 4; j++) {
                    FloatVector xk = FloatVector.broadcast(F, x[k + j]);
                    FloatVector a = toFloat(q.lanewise(LSHR, 4 * j).and(15)).fma(lowScale, lowMin);
                    FloatVector b = toFloat(q.lanewise(LSHR, 4 * j + 16).and(15)).fma(highScale, highMin);
                    low = xk.fma(a, low);
                    high = xk.fma(b, high);
                }
            }
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /** One part of a panel of Q5_K. */
    static void q5(MemorySegment data, long at, int superBlocks, float[] x, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int block = 0; block < superBlocks * BLOCKS; block++) {
            long front = at + (long) (block / BLOCKS) * Q5K_BYTES;
            long quants = front + Q4K_QUANTS + (long) (block % BLOCKS) * (2 * Q5K_LINES * LINE_BYTES);
            IntVector scales = ints(data, front + Q4K_SCALES + (long) (block % BLOCKS) * LINE_BYTES);
            IntVector d = ints(data, front);
            IntVector dmin = ints(data, front + SCALE_BYTES);
            FloatVector lowScale = VectorHalf.lowHalf(d).mul(toFloat(scales.and(255)));
            FloatVector highScale = VectorHalf.highHalf(d).mul(toFloat(scales.lanewise(LSHR, 16).and(255)));
            FloatVector lowMin = VectorHalf.lowHalf(dmin).mul(toFloat(scales.lanewise(LSHR, 8).and(255))).neg();
            FloatVector highMin = VectorHalf.highHalf(dmin).mul(toFloat(scales.lanewise(LSHR, 24))).neg();
            for (int half = 0; half < 2; half++) {
                IntVector last = IntVector.zero(I); // column 15 of row r in bits 0-4, of row r + 16 in bits 16-20
                for (int w = 0; w < Q5K_LINES; w++) {
                    IntVector q = ints(data, quants + (half * Q5K_LINES + w) * (long) LINE_BYTES);
                    int k = block * BLOCK + half * 16 + w * 3;
                    last = last.or(q.lanewise(LSHR, 15 - w).and(0x10001 << w));
                    for (int j = 0; j < 3; j++) {
                        FloatVector xk = FloatVector.broadcast(F, x[k + j]);
                        FloatVector a = toFloat(q.lanewise(LSHR, 5 * j).and(31)).fma(lowScale, lowMin);
                        FloatVector b = toFloat(q.lanewise(LSHR, 5 * j + 16).and(31)).fma(highScale, highMin);
                        low = xk.fma(a, low);
                        high = xk.fma(b, high);
                    }
                }
                FloatVector xk = FloatVector.broadcast(F, x[block * BLOCK + half * 16 + 15]);
                low = xk.fma(toFloat(last.and(31)).fma(lowScale, lowMin), low);
                high = xk.fma(toFloat(last.lanewise(LSHR, 16)).fma(highScale, highMin), high);
            }
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /** One part of a panel of Q6_K. */
    static void q6(MemorySegment data, long at, int superBlocks, float[] x, float[] out, int to) {
        FloatVector low = FloatVector.zero(F);
        FloatVector high = FloatVector.zero(F);
        for (int half = 0; half < superBlocks * 2 * BLOCKS; half++) {
            long front = at + (long) (half / 16) * Q6K_BYTES;
            long lines = front + Q6K_QUANTS + (long) (half % 16) * (2 * Q6K_LINES * LINE_BYTES);
            int k = half * 16;
            FloatVector lowA = FloatVector.zero(F);
            FloatVector highA = FloatVector.zero(F);
            FloatVector lowB = FloatVector.zero(F);
            FloatVector highB = FloatVector.zero(F);
            for (int w = 0; w < Q6K_LINES; w++) {
                IntVector a = ints(data, lines + w * (long) LINE_BYTES);
                IntVector b = ints(data, lines + (w + Q6K_LINES) * (long) LINE_BYTES);
                FloatVector a0 = FloatVector.broadcast(F, x[k + 2 * w]);
                FloatVector a1 = FloatVector.broadcast(F, x[k + 2 * w + 1]);
                FloatVector b0 = FloatVector.broadcast(F, x[k + 2 * w + 8]);
                FloatVector b1 = FloatVector.broadcast(F, x[k + 2 * w + 9]);
                lowA = a0.fma(signed(a, 16), lowA);
                highA = a0.fma(signed(a, 0), highA);
                lowB = b0.fma(signed(b, 16), lowB);
                highB = b0.fma(signed(b, 0), highB);
                lowA = a1.fma(signed(a, 22), lowA);
                highA = a1.fma(signed(a, 6), highA);
                lowB = b1.fma(signed(b, 22), lowB);
                highB = b1.fma(signed(b, 6), highB);
            }
            IntVector a6 = rest(data, lines, 0, 10);
            IntVector a7 = rest(data, lines, 2L * LINE_BYTES, 8);
            IntVector b6 = rest(data, lines + 3L * LINE_BYTES, 0, 10);
            IntVector b7 = rest(data, lines + 3L * LINE_BYTES, 2L * LINE_BYTES, 8);
            FloatVector xa6 = FloatVector.broadcast(F, x[k + 6]);
            FloatVector xa7 = FloatVector.broadcast(F, x[k + 7]);
            FloatVector xb6 = FloatVector.broadcast(F, x[k + 14]);
            FloatVector xb7 = FloatVector.broadcast(F, x[k + 15]);
            lowA = xa7.fma(signed(a7, 16), xa6.fma(signed(a6, 16), lowA));
            highA = xa7.fma(signed(a7, 0), xa6.fma(signed(a6, 0), highA));
            lowB = xb7.fma(signed(b7, 16), xb6.fma(signed(b6, 16), lowB));
            highB = xb7.fma(signed(b7, 0), xb6.fma(signed(b6, 0), highB));
            IntVector scales = ints(data, front + Q6K_SCALES + (long) (half % 16 / 2) * LINE_BYTES);
            IntVector d = ints(data, front);
            int up = 8 - half % 2 * 8;
            low = VectorHalf.lowHalf(d).mul(toFloat(scales.lanewise(LSHL, 16 + up).lanewise(ASHR, 24)))
                    .fma(lowA.add(lowB), low);
            high = VectorHalf.highHalf(d).mul(toFloat(scales.lanewise(LSHL, up).lanewise(ASHR, 24)))
                    .fma(highA.add(highB), high);
        }
        low.intoArray(out, to);
        high.intoArray(out, to + 16);
    }

    /** Six bits that end {@code up} bits below the top of a lane, as a signed number. */
    private static FloatVector signed(IntVector word, int up) {
        return toFloat(word.lanewise(LSHL, up).lanewise(ASHR, 26));
    }

    /** Column 6 or 7: four bits of one word and two of the middle one, at the top of 16. What stands below is never looked at. */
    private static IntVector rest(MemorySegment data, long lines, long four, int up) {
        IntVector high = ints(data, lines + four).lanewise(LSHL, 12).and(0xf000f000);
        return high.or(ints(data, lines + LINE_BYTES).lanewise(LSHL, up).and(0x0c000c00));
    }

    private static IntVector ints(MemorySegment data, long at) {
        return IntVector.fromMemorySegment(I, data, at, LITTLE);
    }

    private static FloatVector toFloat(IntVector v) {
        return (FloatVector) v.convert(VectorOperators.I2F, 0);
    }
}

package dev.tidestream.model.kernels.vector.decode;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

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

/**
 * {@link VectorDecode} with float activations: two panels p and q at their addresses, one part of each.
 *
 * <p>Integers are not moved to the lower end of their lane before they are converted; a chain over {@code 2^s * q} is
 * {@code 2^s} times the chain over q, bit by bit, and is scaled once per block. (Short of an overflow: activations beyond 1e28.)
 */
final class VectorFloatDecode {
    /** The value of each nibble, 8 taken off, as upper half of a float; twice, since the fifth bit may be another nibble's. */
    private static final short[] NIBBLES = new short[32];

    /** Whether a vector has room for all nibbles. */
    private static final boolean TABLE = S.length() >= 16;

    static {
        for (int i = 0; i < NIBBLES.length; i++) {
            NIBBLES[i] = (short) (Float.floatToRawIntBits(i % 16 - 8f) >> 16);
        }
    }

    private VectorFloatDecode() {}

    static void f32(long p, long q, int part, int columns, float[] x, float[] out, int toP, int toQ) {
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int k = 0; k < columns; k++) {
            FloatVector xk = FloatVector.broadcast(F, x[k]);
            long atP = (p + (long) k * ROWS * Float.BYTES + part * 4L * L) & ADDRESS;
            lowP = xk.fma(FloatVector.fromMemorySegment(F, MEMORY, atP, LITTLE), lowP);
            highP = xk.fma(FloatVector.fromMemorySegment(F, MEMORY, atP + 16 * Float.BYTES, LITTLE), highP);
            long atQ = (q + (long) k * ROWS * Float.BYTES + part * 4L * L) & ADDRESS;
            lowQ = xk.fma(FloatVector.fromMemorySegment(F, MEMORY, atQ, LITTLE), lowQ);
            highQ = xk.fma(FloatVector.fromMemorySegment(F, MEMORY, atQ + 16 * Float.BYTES, LITTLE), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    static void f16(long p, long q, int part, int columns, float[] x, float[] out, int toP, int toQ) {
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int k = 0; k < columns - 1; k += 2) {
            long atP = (p + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            long atQ = (q + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            FloatVector x0 = FloatVector.broadcast(F, x[k]);
            IntVector w0P = IntVector.fromMemorySegment(I, MEMORY, atP, LITTLE);
            lowP = x0.fma(w0P.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowP);
            highP = x0.fma(w0P.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highP);
            IntVector w0Q = IntVector.fromMemorySegment(I, MEMORY, atQ, LITTLE);
            lowQ = x0.fma(w0Q.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowQ);
            highQ = x0.fma(w0Q.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highQ);
            FloatVector x1 = FloatVector.broadcast(F, x[k + 1]);
            IntVector w1P = IntVector.fromMemorySegment(I, MEMORY, atP + ROWS * Short.BYTES, LITTLE);
            lowP = x1.fma(w1P.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowP);
            highP = x1.fma(w1P.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highP);
            IntVector w1Q = IntVector.fromMemorySegment(I, MEMORY, atQ + ROWS * Short.BYTES, LITTLE);
            lowQ = x1.fma(w1Q.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowQ);
            highQ = x1.fma(w1Q.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highQ);
        }
        for (int k = columns & ~1; k < columns; k++) {
            long atP = (p + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            long atQ = (q + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            FloatVector x0 = FloatVector.broadcast(F, x[k]);
            IntVector w0P = IntVector.fromMemorySegment(I, MEMORY, atP, LITTLE);
            lowP = x0.fma(w0P.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowP);
            highP = x0.fma(w0P.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highP);
            IntVector w0Q = IntVector.fromMemorySegment(I, MEMORY, atQ, LITTLE);
            lowQ = x0.fma(w0Q.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f), lowQ);
            highQ = x0.fma(w0Q.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    static void bf16(long p, long q, int part, int columns, float[] x, float[] out, int toP, int toQ) {
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int k = 0; k < columns - 1; k += 2) {
            long atP = (p + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            long atQ = (q + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            FloatVector x0 = FloatVector.broadcast(F, x[k]);
            IntVector w0P = IntVector.fromMemorySegment(I, MEMORY, atP, LITTLE);
            lowP = x0.fma(w0P.lanewise(LSHL, 16).reinterpretAsFloats(), lowP);
            highP = x0.fma(w0P.and(0xffff0000).reinterpretAsFloats(), highP);
            IntVector w0Q = IntVector.fromMemorySegment(I, MEMORY, atQ, LITTLE);
            lowQ = x0.fma(w0Q.lanewise(LSHL, 16).reinterpretAsFloats(), lowQ);
            highQ = x0.fma(w0Q.and(0xffff0000).reinterpretAsFloats(), highQ);
            FloatVector x1 = FloatVector.broadcast(F, x[k + 1]);
            IntVector w1P = IntVector.fromMemorySegment(I, MEMORY, atP + ROWS * Short.BYTES, LITTLE);
            lowP = x1.fma(w1P.lanewise(LSHL, 16).reinterpretAsFloats(), lowP);
            highP = x1.fma(w1P.and(0xffff0000).reinterpretAsFloats(), highP);
            IntVector w1Q = IntVector.fromMemorySegment(I, MEMORY, atQ + ROWS * Short.BYTES, LITTLE);
            lowQ = x1.fma(w1Q.lanewise(LSHL, 16).reinterpretAsFloats(), lowQ);
            highQ = x1.fma(w1Q.and(0xffff0000).reinterpretAsFloats(), highQ);
        }
        for (int k = columns & ~1; k < columns; k++) {
            long atP = (p + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            long atQ = (q + (long) k * ROWS * Short.BYTES + part * 4L * L) & ADDRESS;
            FloatVector x0 = FloatVector.broadcast(F, x[k]);
            IntVector w0P = IntVector.fromMemorySegment(I, MEMORY, atP, LITTLE);
            lowP = x0.fma(w0P.lanewise(LSHL, 16).reinterpretAsFloats(), lowP);
            highP = x0.fma(w0P.and(0xffff0000).reinterpretAsFloats(), highP);
            IntVector w0Q = IntVector.fromMemorySegment(I, MEMORY, atQ, LITTLE);
            lowQ = x0.fma(w0Q.lanewise(LSHL, 16).reinterpretAsFloats(), lowQ);
            highQ = x0.fma(w0Q.and(0xffff0000).reinterpretAsFloats(), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    static void q8(long p, long q, int part, int blocks, float[] x, float[] out, int toP, int toQ) {
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scalesP = (p + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsP = p + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowBothP = FloatVector.zero(F); // a, then a + b; neither is -0, so that 0 + a is a
            FloatVector highBothP = FloatVector.zero(F);
            long scalesQ = (q + (long) block * Q8_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsQ = q + (long) block * Q8_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowBothQ = FloatVector.zero(F); // a, then a + b; neither is -0, so that 0 + a is a
            FloatVector highBothQ = FloatVector.zero(F);
            for (int half = 0; half < 2; half++) {
                FloatVector lowHalfP = FloatVector.zero(F);
                FloatVector highHalfP = FloatVector.zero(F);
                FloatVector lowHalfQ = FloatVector.zero(F);
                FloatVector highHalfQ = FloatVector.zero(F);
                for (int j = 16 * half; j < 16 * half + 16; j++) {
                    FloatVector xj = FloatVector.broadcast(F, x[block * BLOCK + j]);
                    long atP = (quantsP + (long) j * ROWS) & ADDRESS;
                    ByteVector bP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP, LITTLE);
                    IntVector wP = bP.convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                    lowHalfP = xj.fma(wP.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), lowHalfP);
                    highHalfP = xj.fma(wP.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats(), highHalfP);
                    long atQ = (quantsQ + (long) j * ROWS) & ADDRESS;
                    ByteVector bQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ, LITTLE);
                    IntVector wQ = bQ.convertShape(B2S, S, 0).reinterpretAsShorts().reinterpretAsInts();
                    lowHalfQ = xj.fma(wQ.lanewise(LSHL, 16).convert(I2F, 0).reinterpretAsFloats(), lowHalfQ);
                    highHalfQ = xj.fma(wQ.and(0xffff0000).convert(I2F, 0).reinterpretAsFloats(), highHalfQ);
                }
                lowBothP = lowBothP.add(lowHalfP);
                highBothP = highBothP.add(highHalfP);
                lowBothQ = lowBothQ.add(lowHalfQ);
                highBothQ = highBothQ.add(highHalfQ);
            }
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, scalesP, LITTLE);
            lowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowBothP.mul(0x1p-16f), lowP);
            highP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f)
                    .fma(highBothP.mul(0x1p-16f), highP);
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, scalesQ, LITTLE);
            lowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowBothQ.mul(0x1p-16f), lowQ);
            highQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f)
                    .fma(highBothQ.mul(0x1p-16f), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }

    /**
     * A nibble becomes the upper half of a float, 8 taken off, by a look into a table, where a vector has room for one: exact, and
     * no conversion. Two rows of a 32-bit lane then are a shift and a mask away.
     */
    static void q4(long p, long q, int part, int blocks, float[] x, float[] out, int toP, int toQ) {
        ShortVector table = ShortVector.fromArray(S, NIBBLES, 0);
        FloatVector lowP = FloatVector.zero(F);
        FloatVector highP = FloatVector.zero(F);
        FloatVector lowQ = FloatVector.zero(F);
        FloatVector highQ = FloatVector.zero(F);
        for (int block = 0; block < blocks; block++) {
            long scalesP = (p + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsP = p + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowAP = FloatVector.zero(F);
            FloatVector highAP = FloatVector.zero(F);
            FloatVector lowBP = FloatVector.zero(F);
            FloatVector highBP = FloatVector.zero(F);
            long scalesQ = (q + (long) block * Q4_BLOCK_BYTES + part * 4L * L) & ADDRESS;
            long quantsQ = q + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + part * 2L * L;
            FloatVector lowAQ = FloatVector.zero(F);
            FloatVector highAQ = FloatVector.zero(F);
            FloatVector lowBQ = FloatVector.zero(F);
            FloatVector highBQ = FloatVector.zero(F);
            for (int j = 0; j < 16; j++) {
                FloatVector xa = FloatVector.broadcast(F, x[block * BLOCK + j]);
                FloatVector xb = FloatVector.broadcast(F, x[block * BLOCK + j + 16]);
                long atP = (quantsP + (long) j * ROWS) & ADDRESS;
                ShortVector wP = ByteVector.fromMemorySegment(HALF_B, MEMORY, atP, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                IntVector aP = (TABLE ? wP.selectFrom(table) : wP.and((short) 15).sub((short) 8)).reinterpretAsInts();
                IntVector bP = (TABLE ? wP.lanewise(LSHR, 4).selectFrom(table) : wP.lanewise(LSHR, 4).sub((short) 8))
                        .reinterpretAsInts();
                lowAP = xa.fma(TABLE ? aP.lanewise(LSHL, 16).reinterpretAsFloats()
                        : aP.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowAP);
                highAP = xa.fma(TABLE ? aP.and(0xffff0000).reinterpretAsFloats()
                        : aP.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highAP);
                lowBP = xb.fma(TABLE ? bP.lanewise(LSHL, 16).reinterpretAsFloats()
                        : bP.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowBP);
                highBP = xb.fma(TABLE ? bP.and(0xffff0000).reinterpretAsFloats()
                        : bP.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highBP);
                long atQ = (quantsQ + (long) j * ROWS) & ADDRESS;
                ShortVector wQ = ByteVector.fromMemorySegment(HALF_B, MEMORY, atQ, LITTLE)
                        .convertShape(ZERO_EXTEND_B2S, S, 0).reinterpretAsShorts();
                IntVector aQ = (TABLE ? wQ.selectFrom(table) : wQ.and((short) 15).sub((short) 8)).reinterpretAsInts();
                IntVector bQ = (TABLE ? wQ.lanewise(LSHR, 4).selectFrom(table) : wQ.lanewise(LSHR, 4).sub((short) 8))
                        .reinterpretAsInts();
                lowAQ = xa.fma(TABLE ? aQ.lanewise(LSHL, 16).reinterpretAsFloats()
                        : aQ.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowAQ);
                highAQ = xa.fma(TABLE ? aQ.and(0xffff0000).reinterpretAsFloats()
                        : aQ.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highAQ);
                lowBQ = xb.fma(TABLE ? bQ.lanewise(LSHL, 16).reinterpretAsFloats()
                        : bQ.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), lowBQ);
                highBQ = xb.fma(TABLE ? bQ.and(0xffff0000).reinterpretAsFloats()
                        : bQ.lanewise(ASHR, 16).convert(I2F, 0).reinterpretAsFloats(), highBQ);
            }
            IntVector dP = IntVector.fromMemorySegment(I, MEMORY, scalesP, LITTLE);
            lowP = dP.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowAP.add(lowBP), lowP);
            highP = dP.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f)
                    .fma(highAP.add(highBP), highP);
            IntVector dQ = IntVector.fromMemorySegment(I, MEMORY, scalesQ, LITTLE);
            lowQ = dQ.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(0x1p112f)
                    .fma(lowAQ.add(lowBQ), lowQ);
            highQ = dQ.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(0x1p112f)
                    .fma(highAQ.add(highBQ), highQ);
        }
        lowP.intoArray(out, toP);
        highP.intoArray(out, toP + 16);
        lowQ.intoArray(out, toQ);
        highQ.intoArray(out, toQ + 16);
    }
}

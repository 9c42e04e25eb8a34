package dev.tidestream.model.kernels.vector.base;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.F2I;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.IS_NAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.MAX;

/** A block of 32 activations to int8 quants, L values at a time; the bits of {@link Math#rint} and {@link Math#max}. */
public final class VectorQuantiser {
    /** Added to a number below 2^22, it leaves the nearest integer (ties to even) in the low bits. */
    private static final float ROUND = 0x1.8p23f;

    private static final VectorSpecies<Short> HALF_S =
            ShortVector.SPECIES_128.withShape(VectorShape.forBitSize(F.vectorBitSize() / 2));

    private VectorQuantiser() {}

    /** The largest magnitude of 32 values from {@code from}; NaN if one is. Magnitudes have the order of their bits. */
    public static float largest(float[] values, int from) {
        IntVector max = IntVector.zero(I);
        for (int j = 0; j < BLOCK; j += L) {
            max = max.max(FloatVector.fromArray(F, values, from + j).reinterpretAsInts().and(Integer.MAX_VALUE));
        }
        return Float.intBitsToFloat(max.reduceLanes(MAX));
    }

    /**
     * {@code code = rint(value * toQuant)} for 32 values; 0 for NaN.
     *
     * @param quants receives the quants as floats, never -0, from {@code to}
     * @param pairs receives two quants per int from {@code to / 2}
     * @return the sum of the quants
     */
    public static int quantise(float[] values, int from, float toQuant, float[] quants, int[] pairs, int to) {
        IntVector sum = IntVector.zero(I);
        for (int j = 0; j < BLOCK; j += L) {
            FloatVector rounded = FloatVector.fromArray(F, values, from + j).mul(toQuant).add(ROUND);
            rounded = rounded.blend(ROUND, rounded.test(IS_NAN));
            rounded.sub(ROUND).intoArray(quants, to + j);
            IntVector code = rounded.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUND));
            ((ShortVector) code.convertShape(I2S, HALF_S, 0)).reinterpretAsInts().intoArray(pairs, (to + j) / 2);
            sum = sum.add(code);
        }
        return sum.reduceLanes(ADD);
    }

    /**
     * Codes of a block for lines of nibbles, see {@link VectorQuants#lineQuants}.
     *
     * @param quants 32 quants as floats from {@code from}
     * @param lines receives 16 quants and 16 differences from {@code from}
     */
    public static void lines(float[] quants, int[] lines, int from) {
        for (int j = from; j < from + BLOCK / 2; j += L) {
            IntVector low = (IntVector) FloatVector.fromArray(F, quants, j).convert(F2I, 0);
            IntVector high = (IntVector) FloatVector.fromArray(F, quants, j + BLOCK / 2).convert(F2I, 0);
            IntVector difference = high.sub(low.lanewise(LSHL, 4));
            low.and(0xffff).or(low.lanewise(LSHL, 16)).intoArray(lines, j);
            difference.and(0xffff).or(difference.lanewise(LSHL, 16)).intoArray(lines, j + BLOCK / 2);
        }
    }
}

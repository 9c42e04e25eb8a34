package dev.tidestream.model.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.IS_NAN;
import static jdk.incubator.vector.VectorOperators.MAX;

/** A block of 32 activations to int8 codes, L values at a time; the bits of {@link Math#rint} and {@link Math#max}. */
final class VectorQuantiser {
    /** Added to a number below 2^22, it leaves the nearest integer (ties to even) in the low bits. */
    private static final float ROUND = 0x1.8p23f;

    private static final VectorSpecies<Short> HALF_S =
            ShortVector.SPECIES_128.withShape(VectorShape.forBitSize(F.vectorBitSize() / 2));

    private VectorQuantiser() {}

    /** The largest magnitude of 32 values from {@code from}; NaN if one is. Magnitudes have the order of their bits. */
    static float largest(float[] values, int from) {
        IntVector max = IntVector.zero(I);
        for (int j = 0; j < BLOCK; j += L) {
            max = max.max(FloatVector.fromArray(F, values, from + j).reinterpretAsInts().and(Integer.MAX_VALUE));
        }
        return Float.intBitsToFloat(max.reduceLanes(MAX));
    }

    /**
     * {@code code = rint(value * toCode)} for 32 values; 0 for NaN.
     *
     * @param codes receives the codes as floats, never -0, from {@code to}
     * @param pairs receives two codes per int from {@code to / 2}
     * @return the sum of the codes
     */
    static int codes(float[] values, int from, float toCode, float[] codes, int[] pairs, int to) {
        IntVector sum = IntVector.zero(I);
        for (int j = 0; j < BLOCK; j += L) {
            FloatVector rounded = FloatVector.fromArray(F, values, from + j).mul(toCode).add(ROUND);
            rounded = rounded.blend(ROUND, rounded.test(IS_NAN));
            rounded.sub(ROUND).intoArray(codes, to + j);
            IntVector code = rounded.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUND));
            ((ShortVector) code.convertShape(I2S, HALF_S, 0)).reinterpretAsInts().intoArray(pairs, (to + j) / 2);
            sum = sum.add(code);
        }
        return sum.reduceLanes(ADD);
    }
}

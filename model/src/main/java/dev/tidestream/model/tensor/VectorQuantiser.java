package dev.tidestream.model.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.L;

/** A block of 32 activations to int8 codes, L values at a time; the bits of {@link Math#rint} and {@link Math#max}. */
final class VectorQuantiser {
    /** Added and taken off again, it rounds a number below 2^22 to the nearest integer, ties to even. */
    private static final float ROUND = 0x1.8p23f;

    private VectorQuantiser() {}

    /** The largest magnitude of 32 values from {@code from}; NaN if one is. */
    static float largest(float[] values, int from) {
        FloatVector max = FloatVector.zero(F);
        for (int j = 0; j < BLOCK; j += L) {
            max = max.max(FloatVector.fromArray(F, values, from + j).abs());
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** {@code codes[i] = rint(values[i] * toCode)}, as floats; 0 for NaN, and never -0. */
    static void codes(float[] values, int from, float toCode, float[] codes, int to) {
        for (int j = 0; j < BLOCK; j += L) {
            FloatVector code = FloatVector.fromArray(F, values, from + j).mul(toCode).add(ROUND).sub(ROUND);
            code.blend(0f, code.test(VectorOperators.IS_NAN)).intoArray(codes, to + j);
        }
    }
}

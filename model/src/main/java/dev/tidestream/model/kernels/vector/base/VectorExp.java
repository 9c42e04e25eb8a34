package dev.tidestream.model.kernels.vector.base;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.tensor.FloatExp;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;

/** Exponentials of floats in the Vector API. */
public final class VectorExp {
    private VectorExp() {}

    /** {@link FloatExp#exp}, L at a time. Comparing and blending is cheaper than min and max; NaN passes both. */
    public static FloatVector exp(FloatVector argument) {
        FloatVector x = argument.blend(FloatExp.MAX, argument.compare(VectorOperators.GT, FloatExp.MAX));
        x = x.blend(FloatExp.MIN, x.compare(VectorOperators.LT, FloatExp.MIN));
        FloatVector shifted = x.mul(FloatExp.LOG2_E).add(FloatExp.ROUND); // n is in its lowest bits, too
        FloatVector n = shifted.sub(FloatExp.ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(F, FloatExp.MINUS_LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(F, FloatExp.MINUS_LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(F, FloatExp.P0).fma(r, FloatVector.broadcast(F, FloatExp.P1));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P2));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P3));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P4));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P5));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector exponent = shifted.reinterpretAsInts().add(127).lanewise(VectorOperators.LSHL, 23);
        return p.mul(exponent.reinterpretAsFloats());
    }

    /** {@link Kernels#softcap}. */
    public static void softcap(float[] values, int from, int to, float cap) {
        FloatVector twice = FloatVector.broadcast(F, 2f * cap);
        FloatVector all = FloatVector.broadcast(F, cap);
        int i = from;
        for (; i <= to - L; i += L) {
            FloatVector e = exp(FloatVector.fromArray(F, values, i).mul(2f / cap));
            all.sub(twice.div(e.add(1f))).intoArray(values, i);
        }
        ScalarKernels.INSTANCE.softcap(values, i, to, cap);
    }
}

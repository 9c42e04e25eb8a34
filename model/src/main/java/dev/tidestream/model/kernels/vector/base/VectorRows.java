package dev.tidestream.model.kernels.vector.base;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

import dev.tidestream.model.kernels.scalar.ScalarRows;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.tensor.DoubleExp.HALF_LN2;
import static dev.tidestream.model.tensor.DoubleExp.LN2_HIGH;
import static dev.tidestream.model.tensor.DoubleExp.LN2_LOW;
import static dev.tidestream.model.tensor.DoubleExp.LOG2_E;
import static dev.tidestream.model.tensor.DoubleExp.P1;
import static dev.tidestream.model.tensor.DoubleExp.P2;
import static dev.tidestream.model.tensor.DoubleExp.P3;
import static dev.tidestream.model.tensor.DoubleExp.P4;
import static dev.tidestream.model.tensor.DoubleExp.P5;
import static dev.tidestream.model.tensor.DoubleExp.ROUND;
import static dev.tidestream.model.tensor.DoubleExp.SMALLEST_NORMAL;
import static dev.tidestream.model.tensor.DoubleExp.TINY;
import static dev.tidestream.model.tensor.DoubleExp.UNDERFLOW;
import static dev.tidestream.model.tensor.Kernels.MAXIMA_TILE;
import static dev.tidestream.model.tensor.Kernels.PARTIALS;

/**
 * What sampling does to a whole row of logits. {@link #exponentials} repeats fdlibm's {@code e_exp.c} (Sun Microsystems, 1993,
 * which {@code StrictMath} is a port of) operation by operation, L/2 at a time, so it gives the same bits; it is meant for arguments
 * from -707 to 0, zeroes those whose result underflows, and leaves the few others to {@code StrictMath}.
 */
public final class VectorRows {
    private static final VectorSpecies<Double> D = DoubleVector.SPECIES_128.withShape(F.vectorShape());
    /** As many floats as a double vector has doubles. */
    private static final VectorSpecies<Float> HALF_F =
            FloatVector.SPECIES_128.withShape(VectorShape.forBitSize(F.vectorBitSize() / 2));

    private VectorRows() {}

    public static int maxima(float[] values, int from, int count, float[] out) {
        int found = 0;
        for (int tile = 0; tile < count; tile += MAXIMA_TILE) {
            int n = Math.min(MAXIMA_TILE, count - tile);
            int whole = n - n % PARTIALS;
            for (int part = 0; part < PARTIALS; part += L) {
                maxima(values, from + tile + part, whole, out, found + part);
            }
            for (int i = whole; i < n; i++) {
                out[found + i - whole] = Math.max(out[found + i - whole], values[from + tile + i]);
            }
            found += PARTIALS;
        }
        return found;
    }

    private static void maxima(float[] values, int from, int whole, float[] out, int to) {
        FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        FloatVector sum = FloatVector.zero(F); // NaN once there was a NaN
        int i = 0;
        for (; i <= whole - 2 * PARTIALS; i += 2 * PARTIALS) {
            FloatVector v = FloatVector.fromArray(F, values, from + i);
            FloatVector w = FloatVector.fromArray(F, values, from + i + PARTIALS);
            a = a.blend(v, v.compare(VectorOperators.GT, a));
            b = b.blend(w, w.compare(VectorOperators.GT, b));
            sum = sum.blend(v, v.compare(VectorOperators.NE, v));
            sum = sum.blend(w, w.compare(VectorOperators.NE, w));
        }
        for (; i < whole; i += PARTIALS) {
            FloatVector v = FloatVector.fromArray(F, values, from + i);
            a = a.blend(v, v.compare(VectorOperators.GT, a));
            sum = sum.blend(v, v.compare(VectorOperators.NE, v));
        }
        a = a.blend(b, b.compare(VectorOperators.GT, a));
        a.blend(sum, sum.compare(VectorOperators.NE, sum)).intoArray(out, to);
    }

    public static int atLeast(float[] values, int from, int count, float least, int[] ids) {
        int found = 0;
        int id = 0;
        for (; id <= count - L; id += L) {
            if (FloatVector.fromArray(F, values, from + id).compare(VectorOperators.GE, least).anyTrue()) {
                found = ScalarRows.atLeast(values, from, id, id + L, least, ids, found);
            }
        }
        return ScalarRows.atLeast(values, from, id, count, least, ids, found);
    }

    public static void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        int i = 0;
        for (; i <= count - D.length(); i += D.length()) {
            DoubleVector x = (DoubleVector) FloatVector.fromArray(HALF_F, values, from + i)
                    .convertShape(VectorOperators.F2D, D, 0);
            x = x.sub(max).div(divisor);
            VectorMask<Double> fine = x.compare(VectorOperators.LE, 0.0).and(
                    x.compare(VectorOperators.GE, SMALLEST_NORMAL).or(x.compare(VectorOperators.LT, UNDERFLOW)));
            if (fine.allTrue()) {
                exp(x).intoArray(out, i);
            } else {
                ScalarRows.exponentials(values, from + i, D.length(), max, divisor, out, i);
            }
        }
        ScalarRows.exponentials(values, from + i, count - i, max, divisor, out, i);
    }

    private static DoubleVector exp(DoubleVector x) {
        DoubleVector y = x.neg();
        DoubleVector w = y.mul(LOG2_E).add(0.5);
        DoubleVector n = w.add(ROUND).sub(ROUND);
        n = n.blend(n.sub(1), n.compare(VectorOperators.GT, w)); // towards zero
        n = n.blend(0.0, y.compare(VectorOperators.LT, HALF_LN2));
        DoubleVector high = x.add(n.mul(LN2_HIGH));
        DoubleVector low = n.mul(LN2_LOW).neg();
        DoubleVector r = high.sub(low);
        DoubleVector t = r.mul(r);
        DoubleVector c = t.mul(P5).add(P4).mul(t).add(P3).mul(t).add(P2).mul(t).add(P1).mul(t);
        c = r.sub(c);
        DoubleVector q = r.mul(c).div(c.neg().add(2));
        DoubleVector e = low.sub(q).sub(high).neg().add(1);
        LongVector exponent = n.add(ROUND).reinterpretAsLongs().lanewise(VectorOperators.LSHL, 52);
        e = e.reinterpretAsLongs().sub(exponent).reinterpretAsDoubles();
        e = e.blend(x.add(1), y.compare(VectorOperators.LT, TINY));
        return e.blend(0.0, x.compare(VectorOperators.LT, UNDERFLOW));
    }
}

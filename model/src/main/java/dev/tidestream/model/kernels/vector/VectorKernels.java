package dev.tidestream.model.kernels.vector;

import jdk.incubator.vector.FloatVector;

import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.vector.attention.VectorAttention;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorExp;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.kernels.vector.base.VectorRows;
import dev.tidestream.model.kernels.vector.batch.VectorBatch;
import dev.tidestream.model.kernels.vector.batch.VectorTilePath;
import dev.tidestream.model.kernels.vector.decode.VectorDecode;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.F;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;

/**
 * {@link Kernels} in the Vector API. Lanes are independent everywhere: matrix rows in a multiply, positions in attention
 * scores, dimensions in weighted values, and 16 fixed partials where a sum must be taken; hence the oracle's bits.
 */
public enum VectorKernels implements Kernels {
    INSTANCE;

    @Override
    public String title() {
        return "vector-" + F.vectorBitSize();
    }

    @Override
    public VectorQuants encoding(Activations x) {
        return VectorQuants.of(x);
    }

    @Override
    public void multiply(
            PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        Scratch scratch = Scratch.ofThread();
        boolean codes = x.quantised() && w.format().quantised();
        if (x.rows() > 1 && VectorBatch.knows(w.format(), codes)) {
            VectorBatch.panels(w, x, scratch, out, outStride, outOffset, fromPanel, toPanel);
        } else if (x.rows() > 1 || !VectorDecode.knows(w.format(), codes)) {
            VectorTilePath.panels(w, x, scratch, out, outStride, outOffset, fromPanel, toPanel);
        } else if (fromPanel < toPanel) {
            VectorDecode.panels(w, x, scratch, out, outOffset, fromPanel, toPanel);
        }
    }

    @Override
    public void normalise(Norm norm, float[] x, int xOffset, float[] out, int outOffset) {
        int n = norm.size();
        float[] partials = Scratch.ofThread().partials();
        float mean = 0f;
        if (norm.centred()) {
            sums(x, xOffset, n, partials);
            mean = ScalarKernels.mean(partials, n);
            centredSquares(x, xOffset, n, mean, partials);
        } else {
            squares(x, xOffset, n, partials);
        }
        float r = ScalarKernels.reciprocalRoot(partials, n, norm.eps());
        float[] parameters = norm.parameters();
        int i = 0;
        for (; i <= n - L; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, xOffset + i);
            v = norm.centred() ? v.sub(mean).mul(r) : v.mul(r);
            FloatVector weight = FloatVector.fromArray(F, parameters, i);
            v = norm.biased() ? v.fma(weight, FloatVector.fromArray(F, parameters, n + i)) : v.mul(weight);
            v.intoArray(out, outOffset + i);
        }
        ScalarKernels.scale(norm, x, xOffset, mean, r, out, outOffset, i);
    }

    private static void sums(float[] x, int from, int n, float[] partials) {
        int whole = n - n % PARTIALS;
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.zero(F);
            for (int i = part; i < whole; i += PARTIALS) {
                sum = sum.add(FloatVector.fromArray(F, x, from + i));
            }
            sum.intoArray(partials, part);
        }
        for (int i = whole; i < n; i++) {
            partials[i - whole] += x[from + i];
        }
    }

    private static void squares(float[] x, int from, int n, float[] partials) {
        int whole = n - n % PARTIALS;
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.zero(F);
            for (int i = part; i < whole; i += PARTIALS) {
                FloatVector v = FloatVector.fromArray(F, x, from + i);
                sum = v.fma(v, sum);
            }
            sum.intoArray(partials, part);
        }
        for (int i = whole; i < n; i++) {
            partials[i - whole] = Math.fma(x[from + i], x[from + i], partials[i - whole]);
        }
    }

    private static void centredSquares(float[] x, int from, int n, float mean, float[] partials) {
        int whole = n - n % PARTIALS;
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.zero(F);
            for (int i = part; i < whole; i += PARTIALS) {
                FloatVector d = FloatVector.fromArray(F, x, from + i).sub(mean);
                sum = d.fma(d, sum);
            }
            sum.intoArray(partials, part);
        }
        for (int i = whole; i < n; i++) {
            float d = x[from + i] - mean;
            partials[i - whole] = Math.fma(d, d, partials[i - whole]);
        }
    }

    @Override
    public void activate(ActivationFunction function, float[] x, float[] out, int from, int to) {
        int i = from;
        for (; i <= to - L; i += L) {
            activate(function, FloatVector.fromArray(F, x, i)).intoArray(out, i);
        }
        ScalarKernels.INSTANCE.activate(function, x, out, i, to);
    }

    @Override
    public void gate(ActivationFunction function, float[] gate, float[] up, float[] out, int from, int to) {
        int i = from;
        for (; i <= to - L; i += L) {
            activate(function, FloatVector.fromArray(F, gate, i)).mul(FloatVector.fromArray(F, up, i)).intoArray(out, i);
        }
        ScalarKernels.INSTANCE.gate(function, gate, up, out, i, to);
    }

    private static FloatVector activate(ActivationFunction function, FloatVector x) {
        return switch (function) {
            case SILU -> x.div(VectorExp.exp(x.neg()).add(1f));
            case GELU_TANH -> {
                FloatVector factor = x.mul(x).fma(FloatVector.broadcast(F, ActivationFunction.GELU_CUBIC),
                        FloatVector.broadcast(F, ActivationFunction.GELU_LINEAR));
                yield x.div(VectorExp.exp(x.mul(factor).neg()).add(1f));
            }
            case RELU_SQUARED -> {
                FloatVector r = x.max(0f);
                yield r.mul(r);
            }
        };
    }

    @Override
    public void softcap(float[] values, int from, int to, float cap) {
        VectorExp.softcap(values, from, to, cap);
    }

    @Override
    public void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions) {
        VectorAttention.attend(shape, head, query, queryOffset, out, outOffset, rows, positions);
    }

    @Override
    public int maxima(float[] values, int from, int count, float[] out) {
        return VectorRows.maxima(values, from, count, out);
    }

    @Override
    public int atLeast(float[] values, int from, int count, float least, int[] ids) {
        return VectorRows.atLeast(values, from, count, least, ids);
    }

    @Override
    public void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        VectorRows.exponentials(values, from, count, max, divisor, out);
    }
}

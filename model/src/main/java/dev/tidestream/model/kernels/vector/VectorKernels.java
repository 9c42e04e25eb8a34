package dev.tidestream.model.kernels.vector;

import jdk.incubator.vector.FloatVector;

import dev.tidestream.model.kernels.scalar.ScalarKernels;
import dev.tidestream.model.kernels.vector.attention.VectorAttention;
import dev.tidestream.model.kernels.vector.base.Scratch;
import dev.tidestream.model.kernels.vector.base.VectorExp;
import dev.tidestream.model.kernels.vector.base.VectorQuants;
import dev.tidestream.model.kernels.vector.base.VectorRows;
import dev.tidestream.model.kernels.vector.batch.VectorBatch;
import dev.tidestream.model.kernels.vector.decode.VectorDecode;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
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
        if (x.rows() == 1) {
            if (fromPanel < toPanel) {
                VectorDecode.panels(w, x, scratch, out, outOffset, fromPanel, toPanel);
            }
            return;
        }
        VectorBatch.panels(w, x, scratch, out, outStride, outOffset, fromPanel, toPanel);
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, float[] weight, float eps, float[] out, int outOffset) {
        int n = weight.length;
        int whole = n - n % PARTIALS;
        float[] partials = Scratch.ofThread().partials();
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.zero(F);
            for (int i = part; i < whole; i += PARTIALS) {
                FloatVector v = FloatVector.fromArray(F, x, xOffset + i);
                sum = v.fma(v, sum);
            }
            sum.intoArray(partials, part);
        }
        for (int i = whole; i < n; i++) {
            partials[i - whole] = Math.fma(x[xOffset + i], x[xOffset + i], partials[i - whole]);
        }
        float r = ScalarKernels.reciprocalRoot(partials, n, eps);
        int i = 0;
        for (; i <= n - L; i += L) {
            FloatVector.fromArray(F, x, xOffset + i).mul(r).mul(FloatVector.fromArray(F, weight, i))
                    .intoArray(out, outOffset + i);
        }
        for (; i < n; i++) {
            out[outOffset + i] = x[xOffset + i] * r * weight[i];
        }
    }

    @Override
    public void swiGlu(float[] gate, float[] up, float[] out, int from, int to) {
        int i = from;
        for (; i <= to - L; i += L) {
            FloatVector g = FloatVector.fromArray(F, gate, i);
            g.div(VectorExp.exp(g.neg()).add(1f)).mul(FloatVector.fromArray(F, up, i)).intoArray(out, i);
        }
        ScalarKernels.INSTANCE.swiGlu(gate, up, out, i, to);
    }

    @Override
    public void attend(AttentionShape shape, KvHead head, float[] query, float[] out, int offset, int rows, int positions) {
        VectorAttention.attend(shape, head, query, out, offset, rows, positions);
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

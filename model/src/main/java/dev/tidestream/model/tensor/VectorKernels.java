package dev.tidestream.model.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import static dev.tidestream.model.tensor.VectorShapes.F;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static dev.tidestream.model.tensor.VectorShapes.LITTLE;

/**
 * {@link Kernels} in the Vector API. Lanes are independent everywhere: matrix rows in a multiply, positions in attention
 * scores, dimensions in weighted values, and 16 fixed partials where a sum must be taken; hence the oracle's bits.
 */
enum VectorKernels implements Kernels {
    INSTANCE;

    @Override
    public String title() {
        return "vector-" + F.vectorBitSize();
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
        for (int panel = fromPanel; panel < toPanel; panel++) {
            int to = outOffset + panel * PanelLayout.ROWS;
            int rows = w.rowsOf(panel);
            VectorBatch.panel(w, panel, x, scratch);
            for (int b = 0; b < x.rows(); b++) {
                System.arraycopy(scratch.sums(), b * PanelLayout.ROWS, out, to + b * outStride, rows);
            }
        }
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
            g.div(exp(g.neg()).add(1f)).mul(FloatVector.fromArray(F, up, i)).intoArray(out, i);
        }
        ScalarKernels.INSTANCE.swiGlu(gate, up, out, i, to);
    }

    /** {@link FloatExp#exp}, L at a time. */
    private static FloatVector exp(FloatVector argument) {
        FloatVector x = argument.min(FloatExp.MAX).max(FloatExp.MIN);
        FloatVector n = x.mul(FloatExp.LOG2_E).add(FloatExp.ROUND).sub(FloatExp.ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(F, FloatExp.MINUS_LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(F, FloatExp.MINUS_LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(F, FloatExp.P0).fma(r, FloatVector.broadcast(F, FloatExp.P1));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P2));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P3));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P4));
        p = p.fma(r, FloatVector.broadcast(F, FloatExp.P5));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector exponent = ((IntVector) n.convert(VectorOperators.F2I, 0)).add(127).lanewise(VectorOperators.LSHL, 23);
        return p.mul(exponent.reinterpretAsFloats());
    }

    @Override
    public void attend(
            float[] query, int queryOffset, KvHead head, int positions, float scale, float[] out, int outOffset) {
        Scratch scratch = Scratch.ofThread();
        float[] scores = scratch.scores(positions);
        scores(query, queryOffset, head, positions, scale, scores);
        float max = Float.NEGATIVE_INFINITY;
        for (int t = 0; t < positions; t++) {
            max = Math.max(max, scores[t]);
        }
        float norm = ScalarKernels.reciprocalSum(exponentials(scores, positions, max, scratch.partials()));
        int d = 0;
        for (; d <= head.headDim() - L; d += L) {
            weightedValues(head, d, positions, scores).mul(norm).intoArray(out, outOffset + d);
        }
        for (; d < head.headDim(); d++) {
            out[outOffset + d] = ScalarKernels.weightedValue(head, d, positions, scores) * norm;
        }
    }

    /** Whole blocks of 32 positions: what lies beyond {@code positions} is computed from whatever is there, and not used. */
    private static void scores(float[] query, int queryOffset, KvHead head, int positions, float scale, float[] scores) {
        for (int t = 0; t < positions; t += 2 * L) {
            var block = head.blocks()[t / KvHead.BLOCK_POSITIONS];
            long at = head.keyOffset() + (long) (t % KvHead.BLOCK_POSITIONS) * Float.BYTES;
            FloatVector first = FloatVector.zero(F);
            FloatVector second = FloatVector.zero(F);
            for (int d = 0; d < head.headDim(); d++) {
                FloatVector q = FloatVector.broadcast(F, query[queryOffset + d]);
                long keys = at + (long) d * KvHead.BLOCK_POSITIONS * Float.BYTES;
                first = q.fma(FloatVector.fromMemorySegment(F, block, keys, LITTLE), first);
                second = q.fma(FloatVector.fromMemorySegment(F, block, keys + (long) L * Float.BYTES, LITTLE), second);
            }
            first.mul(scale).intoArray(scores, t);
            second.mul(scale).intoArray(scores, t + L);
        }
    }

    /** Replaces scores by {@code exp(score - max)}; gives the 16 partial sums. */
    private static float[] exponentials(float[] scores, int positions, float max, float[] partials) {
        int whole = positions - positions % PARTIALS;
        for (int part = 0; part < PARTIALS; part += L) {
            FloatVector sum = FloatVector.zero(F);
            for (int t = part; t < whole; t += PARTIALS) {
                FloatVector e = exp(FloatVector.fromArray(F, scores, t).sub(max));
                e.intoArray(scores, t);
                sum = sum.add(e);
            }
            sum.intoArray(partials, part);
        }
        for (int t = whole; t < positions; t++) {
            scores[t] = FloatExp.exp(scores[t] - max);
            partials[t - whole] += scores[t];
        }
        return partials;
    }

    private static FloatVector weightedValues(KvHead head, int d, int positions, float[] weights) {
        FloatVector acc = FloatVector.zero(F);
        long row = (long) head.headDim() * Float.BYTES;
        for (int from = 0; from < positions; from += KvHead.BLOCK_POSITIONS) {
            var block = head.blocks()[from / KvHead.BLOCK_POSITIONS];
            long at = head.valueOffset() + (long) d * Float.BYTES;
            int count = Math.min(KvHead.BLOCK_POSITIONS, positions - from);
            for (int t = 0; t < count; t++) {
                FloatVector w = FloatVector.broadcast(F, weights[from + t]);
                acc = w.fma(FloatVector.fromMemorySegment(F, block, at + t * row, LITTLE), acc);
            }
        }
        return acc;
    }
}

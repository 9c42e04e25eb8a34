package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.Fma;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.PanelMatrix;

/** {@link Kernels} as they are specified, one element at a time: the oracle of every test. */
public enum ScalarKernels implements Kernels {
    INSTANCE;

    @Override
    public String title() {
        return "scalar";
    }

    @Override
    public ScalarQuants encoding(Activations x) {
        return ScalarQuants.of(x);
    }

    @Override
    public void multiply(
            PanelMatrix w, Activations x, float[] out, int outStride, int outOffset, int fromPanel, int toPanel) {
        ScalarQuants quants = w.format().quantised() && x.quantised() ? ScalarQuants.of(x) : null;
        for (int b = 0; b < x.rows(); b++) {
            for (int panel = fromPanel; panel < toPanel; panel++) {
                for (int lane = 0; lane < w.rowsOf(panel); lane++) {
                    long at = w.panelOffset(panel);
                    float sum = quants != null
                            ? ScalarDots.quants(w, at, lane, quants, b)
                            : ScalarDots.floats(w, at, lane, x.values(), b * x.columns());
                    out[outOffset + b * outStride + panel * PanelLayout.ROWS + lane] = sum;
                }
            }
        }
    }

    @Override
    public void normalise(Norm norm, float[] x, int xOffset, float[] out, int outOffset) {
        int n = norm.size();
        float mean = norm.centred() ? mean(x, xOffset, n) : 0f;
        float[] partials = new float[PARTIALS];
        for (int i = 0; i < n; i++) {
            float d = norm.centred() ? x[xOffset + i] - mean : x[xOffset + i];
            partials[i % PARTIALS] = Fma.of(d, d, partials[i % PARTIALS]);
        }
        scale(norm, x, xOffset, mean, reciprocalRoot(partials, n, norm.eps()), out, outOffset, 0);
    }

    private static float mean(float[] x, int xOffset, int n) {
        float[] partials = new float[PARTIALS];
        for (int i = 0; i < n; i++) {
            partials[i % PARTIALS] += x[xOffset + i];
        }
        return mean(partials, n);
    }

    public static float mean(float[] partials, int n) {
        return (float) (sum(partials) / n);
    }

    public static float reciprocalRoot(float[] partials, int n, float eps) {
        return (float) (1 / Math.sqrt(sum(partials) / n + eps));
    }

    private static double sum(float[] partials) {
        double sum = 0;
        for (float partial : partials) {
            sum += partial;
        }
        return sum;
    }

    /** The last step of a normalisation, for elements {@code from <= i < n}. */
    public static void scale(Norm norm, float[] x, int xOffset, float mean, float r, float[] out, int outOffset, int from) {
        float[] parameters = norm.parameters();
        int n = norm.size();
        for (int i = from; i < n; i++) {
            float d = norm.centred() ? x[xOffset + i] - mean : x[xOffset + i];
            out[outOffset + i] = norm.biased() ? Fma.of(d * r, parameters[i], parameters[n + i]) : d * r * parameters[i];
        }
    }

    @Override
    public void activate(ActivationFunction function, float[] x, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            out[i] = activate(function, x[i]);
        }
    }

    @Override
    public void gate(ActivationFunction function, float[] gate, float[] up, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            out[i] = activate(function, gate[i]) * up[i];
        }
    }

    private static float activate(ActivationFunction function, float x) {
        return switch (function) {
            case SILU -> x / (1f + FloatExp.exp(-x));
            case GELU_TANH -> {
                float z = x * Fma.of(x * x, ActivationFunction.GELU_CUBIC, ActivationFunction.GELU_LINEAR);
                yield x / (1f + FloatExp.exp(-z));
            }
            case RELU_SQUARED -> {
                float r = Math.max(x, 0f);
                yield r * r;
            }
        };
    }

    @Override
    public void softcap(float[] values, int from, int to, float cap) {
        for (int i = from; i < to; i++) {
            values[i] = softcap(values[i], cap);
        }
    }

    static float softcap(float x, float cap) {
        return cap - 2f * cap / (1f + FloatExp.exp(x * (2f / cap)));
    }

    @Override
    public void attend(
            AttentionShape shape, KvHead head, float[] query, int queryOffset, float[] out, int outOffset, int rows, int positions) {
        ScalarAttention.attend(shape, head, query, queryOffset, out, outOffset, rows, positions);
    }

    @Override
    public int maxima(float[] values, int from, int count, float[] out) {
        return ScalarRows.maxima(values, from, count, out);
    }

    @Override
    public int atLeast(float[] values, int from, int count, float least, int[] ids) {
        return ScalarRows.atLeast(values, from, 0, count, least, ids, 0);
    }

    @Override
    public void exponentials(float[] values, int from, int count, double max, double divisor, double[] out) {
        ScalarRows.exponentials(values, from, count, max, divisor, out, 0);
    }
}

package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.FloatExp;
import dev.tidestream.model.tensor.KPanels;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.PanelLayout;
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
                            ? dotInt8(w, at, lane, quants, b)
                            : dotFloat(w, at, lane, x.values(), b * x.columns());
                    out[outOffset + b * outStride + panel * PanelLayout.ROWS + lane] = sum;
                }
            }
        }
    }

    private static float dotFloat(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        return switch (w.format()) {
            case F32, F16, BF16, Q4_K, Q5_K -> dotFloats(w, panel, lane, x, offset);
            case Q8_0, Q4_0 -> dotBlocks(w, panel, lane, x, offset);
            case Q6_K -> dotSixBits(w, panel, lane, x, offset);
        };
    }

    private static float dotInt8(PanelMatrix w, long panel, int lane, ScalarQuants x, int b) {
        return switch (w.format()) {
            case Q8_0, Q4_0 -> dotBlocksInt8(w, panel, lane, x, b);
            case Q4_K, Q5_K -> dotMinimaInt8(w, panel, lane, x, b);
            case Q6_K -> dotSixBitsInt8(w, panel, lane, x, b);
            case F32, F16, BF16 -> throw new IllegalArgumentException("not quantised: " + w.format());
        };
    }

    private static float dotFloats(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        float acc = 0f;
        for (int k = 0; k < w.columns(); k++) {
            acc = Math.fma(x[offset + k], w.element(panel, lane, k), acc);
        }
        return acc;
    }

    private static float dotBlocks(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += PanelLayout.BLOCK) {
            float low = 0f;
            float high = 0f;
            for (int j = 0; j < 16; j++) {
                low = Math.fma(x[offset + k + j], w.quant(panel, lane, k + j), low);
                high = Math.fma(x[offset + k + j + 16], w.quant(panel, lane, k + j + 16), high);
            }
            acc = Math.fma(w.scale(panel, lane, k / PanelLayout.BLOCK), low + high, acc);
        }
        return acc;
    }

    private static float dotSixBits(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += 16) {
            long at = w.superBlock(panel, k);
            float low = 0f;
            float high = 0f;
            for (int j = k; j < k + 8; j++) {
                low = Math.fma(x[offset + j], quant(w, at, lane, j), low);
                high = Math.fma(x[offset + j + 8], quant(w, at, lane, j + 8), high);
            }
            float scale = KPanels.d(w.panelData(), at, lane)
                    * KPanels.halfScale(w.panelData(), at, lane, k % PanelLayout.SUPER_BLOCK / 16);
            acc = Math.fma(scale, low + high, acc);
        }
        return acc;
    }

    private static float dotMinimaInt8(PanelMatrix w, long panel, int lane, ScalarQuants x, int b) {
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += PanelLayout.BLOCK) {
            long at = w.superBlock(panel, k);
            int block = k / PanelLayout.BLOCK;
            int inSuper = block % PanelLayout.BLOCKS;
            float dx = x.scale(b, block);
            int scaled = KPanels.scale(w.format(), w.panelData(), at, lane, inSuper)
                    * integers(w, at, lane, x, b, k, PanelLayout.BLOCK);
            int minima = KPanels.min(w.format(), w.panelData(), at, lane, inSuper) * -x.sum(b, block);
            acc = Math.fma(KPanels.d(w.panelData(), at, lane) * dx, scaled, acc);
            acc = Math.fma(KPanels.dmin(w.panelData(), at, lane) * dx, minima, acc);
        }
        return acc;
    }

    private static float dotSixBitsInt8(PanelMatrix w, long panel, int lane, ScalarQuants x, int b) {
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += PanelLayout.BLOCK) {
            long at = w.superBlock(panel, k);
            int half = k % PanelLayout.SUPER_BLOCK / 16;
            int scaled = KPanels.halfScale(w.panelData(), at, lane, half) * integers(w, at, lane, x, b, k, 16)
                    + KPanels.halfScale(w.panelData(), at, lane, half + 1) * integers(w, at, lane, x, b, k + 16, 16);
            float dx = x.scale(b, k / PanelLayout.BLOCK);
            acc = Math.fma(KPanels.d(w.panelData(), at, lane) * dx, scaled, acc);
        }
        return acc;
    }

    private static int integers(PanelMatrix w, long superBlock, int lane, ScalarQuants x, int b, int k, int columns) {
        int dot = 0;
        for (int j = 0; j < columns; j++) {
            dot += x.quant(b, k + j) * quant(w, superBlock, lane, k + j);
        }
        return dot;
    }

    private static int quant(PanelMatrix w, long superBlock, int lane, int k) {
        return KPanels.quant(w.format(), w.panelData(), superBlock, lane, k % PanelLayout.SUPER_BLOCK);
    }

    private static float dotBlocksInt8(PanelMatrix w, long panel, int lane, ScalarQuants x, int b) {
        int blocks = w.columns() / PanelLayout.BLOCK;
        float acc = 0f;
        for (int block = 0; block < blocks; block++) {
            int dot = 0;
            for (int j = 0; j < PanelLayout.BLOCK; j++) {
                dot += x.quant(b, block * PanelLayout.BLOCK + j) * w.quant(panel, lane, block * PanelLayout.BLOCK + j);
            }
            acc = Math.fma(w.scale(panel, lane, block) * x.scale(b, block), dot, acc);
        }
        return acc;
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, float[] weight, float eps, float[] out, int outOffset) {
        float[] partials = new float[PARTIALS];
        for (int i = 0; i < weight.length; i++) {
            partials[i % PARTIALS] = Math.fma(x[xOffset + i], x[xOffset + i], partials[i % PARTIALS]);
        }
        float r = reciprocalRoot(partials, weight.length, eps);
        for (int i = 0; i < weight.length; i++) {
            out[outOffset + i] = x[xOffset + i] * r * weight[i];
        }
    }

    public static float reciprocalRoot(float[] partials, int n, float eps) {
        double sum = 0;
        for (float partial : partials) {
            sum += partial;
        }
        return (float) (1 / Math.sqrt(sum / n + eps));
    }

    @Override
    public void swiGlu(float[] gate, float[] up, float[] out, int from, int to) {
        for (int i = from; i < to; i++) {
            out[i] = gate[i] / (1f + FloatExp.exp(-gate[i])) * up[i];
        }
    }

    @Override
    public void attend(AttentionShape shape, KvHead head, float[] query, float[] out, int offset, int rows, int positions) {
        ScalarAttention.attend(shape, head, query, out, offset, rows, positions);
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

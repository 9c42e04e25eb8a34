package dev.tidestream.model.kernels.scalar;

import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.QuantFormat;
import dev.tidestream.model.format.base.Rounding;
import dev.tidestream.model.tensor.Fma;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.PanelMatrix;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;

/**
 * Dot products of one row of a matrix as {@link Kernels#multiply} specifies them, one for each family of formats ({@link Rounding}):
 * what a format is, it says itself, a block of a row at a time.
 */
final class ScalarDots {
    private ScalarDots() {}

    /** With float activations. */
    static float floats(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        int chain = w.format().rounding().chain();
        return chain == 0 ? elements(w, panel, lane, x, offset) : chains(w, panel, lane, x, offset, chain);
    }

    /** One chain over elements. */
    private static float elements(PanelMatrix w, long panel, int lane, float[] x, int offset) {
        float[] row = new float[w.columns()];
        w.format().format().read(w.panelData(), panel, lane, 0, w.columns(), row, 0);
        float acc = 0f;
        for (int k = 0; k < row.length; k++) {
            acc = Fma.of(x[offset + k], row[k], acc);
        }
        return acc;
    }

    /** Two chains over {@code chain} integers each, then their sum is scaled: of a block of 32 columns, or of 16 and 16. */
    private static float chains(PanelMatrix w, long panel, int lane, float[] x, int offset, int chain) {
        LaneBlock block = new LaneBlock();
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += BLOCK) {
            read(w, panel, lane, k, block);
            for (int from = 0; from < BLOCK; from += 2 * chain) {
                float low = 0f;
                float high = 0f;
                for (int j = from; j < from + chain; j++) {
                    low = Fma.of(x[offset + k + j], block.quants[j], low);
                    high = Fma.of(x[offset + k + j + chain], block.quants[j + chain], high);
                }
                acc = Fma.of(block.d * block.scales[from / HALF], low + high, acc);
            }
        }
        return acc;
    }

    /** With int8 activations: exact integers, scaled once, and the minima once more if there are some. */
    static float quants(PanelMatrix w, long panel, int lane, ScalarQuants x, int b) {
        boolean minima = w.format().rounding().minima();
        LaneBlock block = new LaneBlock();
        float acc = 0f;
        for (int k = 0; k < w.columns(); k += BLOCK) {
            read(w, panel, lane, k, block);
            int scaled = 0;
            int mins = 0;
            for (int half = 0; half < 2; half++) {
                int dot = 0;
                int sum = 0;
                for (int j = half * HALF; j < (half + 1) * HALF; j++) {
                    dot += x.quant(b, k + j) * block.quants[j];
                    sum += x.quant(b, k + j);
                }
                scaled += block.scales[half] * dot;
                mins += block.mins[half] * sum;
            }
            float dx = x.scale(b, k / BLOCK);
            acc = Fma.of(block.d * dx, scaled, acc);
            if (minima) {
                acc = Fma.of(block.m * dx, mins, acc);
            }
        }
        return acc;
    }

    private static void read(PanelMatrix w, long panel, int lane, int k, LaneBlock out) {
        QuantFormat format = w.format().quants();
        format.lane(w.panelData(), panel + format.shape().unitOf(k), lane, k % format.shape().columns() / PanelLayout.BLOCK, out);
    }
}

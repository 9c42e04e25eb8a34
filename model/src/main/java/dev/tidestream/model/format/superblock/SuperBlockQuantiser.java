package dev.tidestream.model.format.superblock;

import java.util.Arrays;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * From float32 to K-quants, by the searches of ggml's reference quantisers without an importance matrix
 * ({@code quantize_row_q4_K_ref} and its like): for each block the scale (and minimum) of least weighted squared
 * error among some candidates, then scales of scales. Sums are taken in double, so that no finite value overflows
 * them; a block is therefore as good as ggml's, and not always the same bits.
 *
 * <p>The result depends on the 256 values alone. Values are finite; what is too large becomes an infinite scale, which the caller
 * looks for. Buffers are used again; one thread.
 */
public final class SuperBlockQuantiser {
    private static final int HALF = 16;
    private static final double TINY = 1e-15; // below it, ggml takes a block without a minimum for zeros

    /**
     * What is tried for some columns with a minimum: {@code steps + 1} scales from {@code (largest + first) / range}, a tenth apart.
     *
     * @param columns that share a scale and a minimum: 32 or 16
     * @param largest integer; the smallest is 0
     * @param largestScale what scales and minima of the second level go up to
     */
    public record Search(int columns, int largest, int largestScale, double first, int steps) {
        static final double STEP = 0.1;
    }

    private final int[] quants = new int[BLOCK];
    private final double[] weights = new double[BLOCK];
    private final double[] scales = new double[SUPER_BLOCK / HALF];
    private final double[] minima = new double[SUPER_BLOCK / HALF];
    private double minimum; // second result of a search

    // ---- x = d * scale * q - dmin * min

    /**
     * Encodes 256 finite values with scales and minima of two levels. Of 32 columns, the two bytes of {@code out.scales} are the scale
     * and the minimum; of 16 columns, a byte has the scale in its lower half and the minimum in its upper one.
     */
    public void withMinima(float[] x, Search search, SuperBlock out) {
        double largestScale = 0;
        double largestMin = 0;
        int columns = search.columns();
        for (int i = 0; i < SUPER_BLOCK / columns; i++) {
            scales[i] = scaleAndMinimum(x, i * columns, search);
            minima[i] = minimum;
            largestScale = Math.max(largestScale, scales[i]);
            largestMin = Math.max(largestMin, minimum);
        }
        out.d = Float.floatToFloat16((float) (largestScale / search.largestScale()));
        out.dmin = Float.floatToFloat16((float) (largestMin / search.largestScale()));
        double d = Float.float16ToFloat(out.d);
        double dmin = Float.float16ToFloat(out.dmin);
        for (int i = 0; i < SUPER_BLOCK / columns; i++) {
            int scale = small(scales[i], largestScale, search.largestScale());
            int min = small(minima[i], largestMin, search.largestScale());
            if (columns == BLOCK) {
                out.scales[2 * i] = (byte) scale;
                out.scales[2 * i + 1] = (byte) min;
            } else {
                out.scales[i] = (byte) (scale | min << 4);
            }
            for (int j = 0; j < columns; j++) {
                double step = d * scale;
                int k = i * columns + j;
                out.quants[k] = (byte) (step == 0 ? 0 : quant((x[k] + dmin * min) / step, 0, search.largest()));
            }
        }
    }

    private static int small(double value, double largest, int most) {
        return largest == 0 ? 0 : (int) Math.min(most, Math.rint(most * value / largest));
    }

    /**
     * The scale and the minimum of one block, at least 0 both, so that {@code x ≈ scale * q - minimum}. Values count the more
     * the larger they are.
     */
    private double scaleAndMinimum(float[] x, int from, Search search) {
        int columns = search.columns();
        weigh(x, from, columns);
        double least = 0;
        double most = x[from];
        for (int j = 0; j < columns; j++) {
            least = Math.min(least, x[from + j]);
            most = Math.max(most, x[from + j]);
        }
        minimum = -least;
        if (most <= least) {
            return 0;
        }
        double scale = (most - least) / search.largest();
        for (int j = 0; j < columns; j++) {
            quants[j] = quant((x[from + j] - least) / scale, 0, search.largest());
        }
        double best = error(x, from, columns, scale, -least);
        for (int step = 0; step <= search.steps(); step++) {
            double lowest = -minimum; // that of the best so far: each candidate starts from there
            double inverse = (search.largest() + search.first() + step * Search.STEP) / (most - lowest);
            for (int j = 0; j < columns; j++) {
                quants[j] = quant(inverse * (x[from + j] - lowest), 0, search.largest());
            }
            double fitted = fit(x, from, columns);
            double error = error(x, from, columns, fitted, fittedMinimum);
            if (fitted > 0 && error < best) {
                best = error;
                scale = fitted;
                minimum = fittedMinimum;
            }
        }
        return scale;
    }

    private double fittedMinimum; // second result of fit

    /** Weighted least squares of {@code scale * quants - minimum}, with a minimum of at least 0. A scale of 0 if there is none. */
    private double fit(float[] x, int from, int columns) {
        double w = 0;
        double wx = 0;
        double wl = 0;
        double wll = 0;
        double wxl = 0;
        for (int j = 0; j < columns; j++) {
            double weight = weights[j];
            w += weight;
            wx += weight * x[from + j];
            wl += weight * quants[j];
            wll += weight * quants[j] * quants[j];
            wxl += weight * x[from + j] * quants[j];
        }
        double determinant = w * wll - wl * wl;
        if (determinant <= 0) {
            return 0;
        }
        double offset = (wll * wx - wl * wxl) / determinant;
        fittedMinimum = Math.max(0, -offset);
        return offset > 0 ? wxl / wll : (w * wxl - wx * wl) / determinant;
    }

    private double error(float[] x, int from, int columns, double scale, double min) {
        double sum = 0;
        for (int j = 0; j < columns; j++) {
            double difference = scale * quants[j] - min - x[from + j];
            sum += weights[j] * difference * difference;
        }
        return sum;
    }

    private void weigh(float[] x, int from, int columns) {
        double squares = 0;
        for (int j = 0; j < columns; j++) {
            squares += (double) x[from + j] * x[from + j];
        }
        double mean = Math.sqrt(squares / columns);
        for (int j = 0; j < columns; j++) {
            weights[j] = mean + Math.abs(x[from + j]);
        }
    }

    // ---- x = d * scale * q, a scale for each 16 columns

    /**
     * Encodes 256 finite values with a signed scale for each 16.
     *
     * @param most integers go from {@code -most} to {@code most - 1}
     * @param mostScale the same of the scales
     */
    public void symmetric(float[] x, int most, int mostScale, SuperBlock out) {
        double magnitude = 0;
        double largest = 0;
        for (int half = 0; half < scales.length; half++) {
            scales[half] = scale(x, half * HALF, most);
            if (Math.abs(scales[half]) > magnitude) {
                magnitude = Math.abs(scales[half]);
                largest = scales[half];
            }
        }
        out.dmin = 0;
        if (magnitude < TINY) {
            out.d = 0;
            Arrays.fill(out.scales, (byte) 0);
            Arrays.fill(out.quants, (byte) 0);
            return;
        }
        out.d = Float.floatToFloat16((float) (largest / -mostScale));
        double d = Float.float16ToFloat(out.d);
        for (int half = 0; half < scales.length; half++) {
            int scale = (int) Math.min(mostScale - 1, Math.rint(-mostScale * scales[half] / largest));
            out.scales[half] = (byte) scale;
            for (int j = 0; j < HALF; j++) {
                double step = d * scale;
                int k = half * HALF + j;
                out.quants[k] = (byte) (step == 0 ? 0 : quant(x[k] / step, -most, most - 1));
            }
        }
    }

    /** The scale of 16 values; its sign is such that the value of largest magnitude becomes negative. Weights are squares. */
    private double scale(float[] x, int from, int most) {
        double largest = 0;
        for (int j = 0; j < HALF; j++) {
            largest = Math.abs(x[from + j]) > Math.abs(largest) ? x[from + j] : largest;
        }
        if (Math.abs(largest) < TINY) {
            return 0;
        }
        double best = 0;
        double scale = 0;
        for (int step = 0; step <= 18; step++) { // the one in the middle first, as it wins if others are as good
            int i = step == 0 ? 0 : step <= 9 ? step - 10 : step - 9;
            double inverse = -(most + 0.1 * i) / largest;
            double wxl = 0;
            double wll = 0;
            for (int j = 0; j < HALF; j++) {
                double value = x[from + j];
                double weight = value / largest * (value / largest);
                int q = quant(inverse * value, -most, most - 1);
                wxl += weight * value * q;
                wll += weight * q * q;
            }
            double gain = wll > 0 ? wxl / wll * wxl : 0; // how much less error than with zeros
            if (gain > best) {
                best = gain;
                scale = wxl / wll;
            }
        }
        return scale;
    }

    /** To the nearest integer, ties to even, within limits. */
    private static int quant(double value, int least, int most) {
        return (int) Math.clamp(Math.rint(value), least, most);
    }
}

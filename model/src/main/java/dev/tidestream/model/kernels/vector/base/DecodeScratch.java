package dev.tidestream.model.kernels.vector.base;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;

/** What a thread needs to multiply one row beyond its codes; made anew for each range of panels, in less than a microsecond. */
public final class DecodeScratch {
    private int[] differences = {};

    /** Before panels of a matrix of this format are multiplied with the only row of x. */
    public void prepare(TensorFormat format, Activations x) {
        if (!x.quantised()) {
            return;
        }
        switch (format) {
            case Q4_0 -> pairs(VectorQuants.of(x).codePairs(), room(x.columns()), x.columns());
            case Q4_K -> fours(VectorQuants.of(x).codePairs(), room(x.columns()), x.columns());
            case F32, F16, BF16, Q8_0, Q5_K, Q6_K -> { }
        }
    }

    /**
     * Codes from which 16 times the code of the nibble below has been taken off, in both 16-bit halves.
     *
     * <pre>
     * Q4_0: place 32 b + j, j below 16: x[32 b + j + 16] - 16 x[32 b + j]; the other places are not used
     * Q4_K: place k: x[k] - 16 x[k - 1], but x[k] if k is a multiple of 4
     * </pre>
     */
    public int[] differences() {
        return differences;
    }

    private int[] room(int columns) {
        if (differences.length < columns) {
            differences = new int[columns];
        }
        return differences;
    }

    // Without the Vector API: once per range of panels is too seldom to be compiled soon, and interpreted vectors are boxed.

    private static void pairs(int[] x, int[] out, int columns) {
        for (int block = 0; block < columns; block += BLOCK) {
            for (int j = block; j < block + 16; j++) {
                out[j] = both((short) x[j + 16] - 16 * (short) x[j]);
            }
        }
    }

    private static void fours(int[] x, int[] out, int columns) {
        for (int k = 0; k < columns; k += 4) {
            out[k] = x[k];
            out[k + 1] = both((short) x[k + 1] - 16 * (short) x[k]);
            out[k + 2] = both((short) x[k + 2] - 16 * (short) x[k + 1]);
            out[k + 3] = both((short) x[k + 3] - 16 * (short) x[k + 2]);
        }
    }

    private static int both(int difference) {
        return (difference & 0xffff) | (difference << 16);
    }
}

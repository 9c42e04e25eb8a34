package dev.tidestream.model.kernels.vector.base;

import dev.tidestream.model.tensor.Activations;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;

/** What a thread needs to multiply one row beyond its codes; made anew for each range of panels, in less than a microsecond. */
public final class DecodeScratch {
    private int[] differences = {};

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

    /** For formats that need none of this. */
    public void nothing(Activations x) {
        // codes as they are
    }

    /** Makes those of Q4_0, of the only row of x. */
    public void pairs(Activations x) {
        int[] codes = VectorQuants.of(x).quantPairs();
        int[] out = room(x.columns());
        for (int block = 0; block < x.columns(); block += BLOCK) {
            for (int j = block; j < block + 16; j++) {
                out[j] = both((short) codes[j + 16] - 16 * (short) codes[j]);
            }
        }
    }

    /** Makes those of Q4_K, of the only row of x. */
    public void fours(Activations x) {
        int[] codes = VectorQuants.of(x).quantPairs();
        int[] out = room(x.columns());
        for (int k = 0; k < x.columns(); k += 4) {
            out[k] = codes[k];
            out[k + 1] = both((short) codes[k + 1] - 16 * (short) codes[k]);
            out[k + 2] = both((short) codes[k + 2] - 16 * (short) codes[k + 1]);
            out[k + 3] = both((short) codes[k + 3] - 16 * (short) codes[k + 2]);
        }
    }

    private static int both(int difference) {
        return (difference & 0xffff) | (difference << 16);
    }
}

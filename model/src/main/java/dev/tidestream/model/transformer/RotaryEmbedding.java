package dev.tidestream.model.transformer;

/**
 * Rotary position embedding (Su et al. 2021) as LLaMA's GGUF files want it: the pair (2i, 2i+1) of a head is turned by
 * {@code position * scale * theta^(-2i/d) / factor[i]}. Angles are computed in double by {@link StrictMath}, so that they are the
 * same on every machine. Immutable.
 */
public final class RotaryEmbedding {
    private final int ropeDim;
    private final double[] frequencies; // (ropeDim / 2)

    /**
     * @param ropeDim elements per head that are rotated
     * @param factors {@code rope_freqs.weight} (ropeDim / 2), which stretches wavelengths (Llama 3); empty for none
     * @throws ModelException if there are too many or too few factors, or one is not above 0
     */
    public RotaryEmbedding(int ropeDim, float theta, float positionScale, float[] factors) {
        if (factors.length != 0 && factors.length != ropeDim / 2) {
            throw new ModelException(
                    "rope_freqs.weight must have ropeDim / 2 elements: elements=%d, ropeDim=%d".formatted(factors.length, ropeDim));
        }
        for (int i = 0; i < factors.length; i++) {
            if (!(factors[i] > 0) || !Float.isFinite(factors[i])) {
                throw new ModelException("rope_freqs.weight[%d]=%s must be a finite number above 0".formatted(i, factors[i]));
            }
        }
        this.ropeDim = ropeDim;
        this.frequencies = new double[ropeDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = StrictMath.pow(theta, -2.0 * i / ropeDim) * positionScale;
            frequencies[i] = factors.length == 0 ? frequency : frequency / factors[i];
        }
    }

    /** Floats per position in a table of turns. */
    int tableWidth() {
        return ropeDim;
    }

    /** Writes cosine and sine of every pair: {@code (ropeDim / 2, 2)} from {@code offset}. */
    void turns(int position, float[] table, int offset) {
        for (int i = 0; i < frequencies.length; i++) {
            double angle = position * frequencies[i];
            table[offset + 2 * i] = (float) StrictMath.cos(angle);
            table[offset + 2 * i + 1] = (float) StrictMath.sin(angle);
        }
    }

    /**
     * Turns all heads of one row.
     *
     * @param x (heads, headDim) from {@code xOffset}
     * @param table turns of the row's position from {@code offset}
     */
    void rotate(float[] x, int xOffset, int heads, int headDim, float[] table, int offset) {
        for (int head = 0; head < heads; head++) {
            int from = xOffset + head * headDim;
            for (int i = 0; i < ropeDim; i += 2) {
                float cos = table[offset + i];
                float sin = table[offset + i + 1];
                float even = x[from + i];
                float odd = x[from + i + 1];
                x[from + i] = even * cos - odd * sin;
                x[from + i + 1] = even * sin + odd * cos;
            }
        }
    }
}

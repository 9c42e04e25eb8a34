package dev.tidestream.model.transformer;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.Rotation;

/**
 * Rotary position embedding (Su et al. 2021): pair i of a head is rotated by
 * {@code position * scale[i] * theta^(-2i/d) / factor[i]}. Angles are computed in double by {@link StrictMath}, so that they are
 * the same on every machine; cosine and sine are rounded to float32. The pair (a, b) becomes
 * {@code (a * cos - b * sin, a * sin + b * cos)}, two products and their sum, each rounded. Kernels have no part in it, so the
 * bits are the same with all of them. Immutable.
 */
public final class RotaryEmbedding {
    private final Rotation.Pairing pairing;
    private final float amplitude;
    private final double[] frequencies; // (dimensions / 2)

    /**
     * @param rotation of something
     * @param factors (dimensions / 2), which stretch wavelengths; empty for none
     * @throws ModelException if there are too many or too few factors, or one is not above 0
     */
    public RotaryEmbedding(Rotation rotation, float[] factors) {
        int dimensions = rotation.dimensions();
        if (factors.length != 0 && factors.length != dimensions / 2) {
            throw new ModelException("factors of the rotation must be half as many as rotated elements: factors=%d, rotated=%d"
                    .formatted(factors.length, dimensions));
        }
        for (int i = 0; i < factors.length; i++) {
            if (!(factors[i] > 0) || !Float.isFinite(factors[i])) {
                throw new ModelException("factor %d of the rotation must be a finite number above 0: %s".formatted(i, factors[i]));
            }
        }
        this.pairing = rotation.pairing();
        this.amplitude = rotation.amplitude();
        this.frequencies = new double[dimensions / 2];
        for (int i = 0; i < frequencies.length; i++) {
            int pair = i;
            double frequency = StrictMath.pow(rotation.theta(), -2.0 * i / dimensions) * rotation.positionScale()
                    * rotation.yarn().map(yarn -> yarn.frequencyScale(pair, dimensions, rotation.theta())).orElse(1.0);
            frequencies[i] = factors.length == 0 ? frequency : frequency / factors[i];
        }
    }

    /** Floats per position in a table of rotations. */
    public int tableWidth() {
        return 2 * frequencies.length;
    }

    /** Writes cosine and sine of every pair: {@code (dimensions / 2, 2)} from {@code offset}. */
    public void angles(int position, float[] table, int offset) {
        for (int i = 0; i < frequencies.length; i++) {
            double angle = position * frequencies[i];
            table[offset + 2 * i] = (float) (amplitude * StrictMath.cos(angle));
            table[offset + 2 * i + 1] = (float) (amplitude * StrictMath.sin(angle));
        }
    }

    /**
     * Rotates some heads of one row.
     *
     * @param x (heads, headDim) from {@code xOffset}
     * @param table angles of the row's position from {@code offset}
     */
    void rotate(float[] x, int xOffset, int heads, int headDim, float[] table, int offset) {
        for (int head = 0; head < heads; head++) {
            int from = xOffset + head * headDim;
            switch (pairing) {
                case INTERLEAVED -> rotateNeighbours(x, from, table, offset);
                case HALVES -> rotateHalves(x, from, table, offset);
                case NONE -> {}
            }
        }
    }

    private void rotateNeighbours(float[] x, int from, float[] table, int offset) {
        for (int i = 0; i < 2 * frequencies.length; i += 2) {
            float cos = table[offset + i];
            float sin = table[offset + i + 1];
            float even = x[from + i];
            float odd = x[from + i + 1];
            x[from + i] = even * cos - odd * sin;
            x[from + i + 1] = even * sin + odd * cos;
        }
    }

    private void rotateHalves(float[] x, int from, float[] table, int offset) {
        int n = frequencies.length;
        for (int i = 0; i < n; i++) {
            float cos = table[offset + 2 * i];
            float sin = table[offset + 2 * i + 1];
            float low = x[from + i];
            float high = x[from + n + i];
            x[from + i] = low * cos - high * sin;
            x[from + n + i] = low * sin + high * cos;
        }
    }
}

package dev.tidestream.model.tuning;

import dev.tidestream.model.transformer.RotaryEmbedding;

/** Rotates neighbouring pairs of every head by its position (Su et al. 2021). Immutable. */
final class Rotary {
    private final int headDim;
    private final int width;
    private final double[] table; // (positions, width): cosine and sine of each pair

    Rotary(RotaryEmbedding embedding, int headDim, int positions) {
        this.headDim = headDim;
        this.width = embedding.tableWidth();
        float[] angles = new float[positions * width];
        for (int position = 0; position < positions; position++) {
            embedding.angles(position, angles, position * width);
        }
        table = new double[angles.length];
        for (int i = 0; i < angles.length; i++) {
            table[i] = angles[i];
        }
    }

    /** In place: {@code (T, heads * headDim)}. */
    void forward(Dense x) {
        rotate(x, 1);
    }

    /** The gradient of the input from that of the output, in place. */
    void backward(Dense dx) {
        rotate(dx, -1);
    }

    private void rotate(Dense x, int direction) {
        for (int row = 0; row < x.rows(); row++) {
            for (int head = row * x.columns(); head < (row + 1) * x.columns(); head += headDim) {
                for (int i = 0; i < width; i += 2) {
                    double cos = table[row * width + i];
                    double sin = direction * table[row * width + i + 1];
                    double even = x.data()[head + i];
                    double odd = x.data()[head + i + 1];
                    x.data()[head + i] = even * cos - odd * sin;
                    x.data()[head + i + 1] = even * sin + odd * cos;
                }
            }
        }
    }
}

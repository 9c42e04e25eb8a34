package dev.tidestream.model.patch;

/** out (rows, columns) = a (rows, rank) · b (rank, columns), float32, row-major */
public interface LowRankProduct {
    void multiply(float[] a, int rows, int rank, float[] b, int columns, float[] out);
}

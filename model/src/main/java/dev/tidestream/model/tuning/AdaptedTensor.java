package dev.tidestream.model.tuning;

/**
 * A matrix of the model with its adapter.
 *
 * @param name GGUF name
 * @param weight {@code (rows, columns)}, before the adapter; nobody writes to it
 */
public record AdaptedTensor(String name, int rows, int columns, double[] weight, LowRank lowRank) {

    /** What the matrix is with the adapter: {@code (rows, columns)}. */
    public float[] merged() {
        int rank = lowRank.a().rows();
        double[] a = lowRank.a().values();
        double[] b = lowRank.b().values();
        float[] out = new float[weight.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                double sum = 0;
                for (int i = 0; i < rank; i++) {
                    sum += b[row * rank + i] * a[i * columns + column];
                }
                out[row * columns + column] = (float) (weight[row * columns + column] + lowRank.scale() * sum);
            }
        }
        return out;
    }
}

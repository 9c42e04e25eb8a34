package dev.tidestream.model.tuning;

/**
 * Root mean square normalisation of every row (Zhang and Sennrich 2019): {@code y = w * x / sqrt(mean(x * x) + eps)}. Its weight is
 * not trained.
 */
final class RmsNorm {
    private final double[] weight; // (H)
    private final Dense x; // (T, H)
    private final double[] inverse; // (T): 1 / root
    private final Dense y; // (T, H)

    RmsNorm(double[] weight, double eps, Dense x) {
        this.weight = weight;
        this.x = x;
        this.inverse = new double[x.rows()];
        this.y = Dense.zeros(x.rows(), x.columns());
        int size = x.columns();
        for (int row = 0; row < x.rows(); row++) {
            double sum = 0;
            for (int i = 0; i < size; i++) {
                double value = x.data()[row * size + i];
                sum += value * value;
            }
            inverse[row] = 1 / StrictMath.sqrt(sum / size + eps);
            for (int i = 0; i < size; i++) {
                y.data()[row * size + i] = weight[i] * x.data()[row * size + i] * inverse[row];
            }
        }
    }

    Dense y() {
        return y;
    }

    /** Adds to the gradient of its input. */
    void backward(Dense dy, Dense dx) {
        int size = x.columns();
        for (int row = 0; row < x.rows(); row++) {
            int at = row * size;
            double dot = 0;
            for (int i = 0; i < size; i++) {
                dot += weight[i] * dy.data()[at + i] * x.data()[at + i];
            }
            double shared = dot * inverse[row] * inverse[row] * inverse[row] / size;
            for (int i = 0; i < size; i++) {
                dx.data()[at + i] += inverse[row] * weight[i] * dy.data()[at + i] - shared * x.data()[at + i];
            }
        }
    }
}

package dev.tidestream.model.tuning.product;

/** Products of dense matrices, row-major, float64. Any number of threads at once; the same bits on every call. */
@FunctionalInterface
public interface MatrixProducts {

    /**
     * {@code out := alpha * op(a) * op(b) + beta * out}.
     *
     * @param transposeA whether {@code a} is {@code (inner, rows)} and not {@code (rows, inner)}
     * @param transposeB whether {@code b} is {@code (columns, inner)} and not {@code (inner, columns)}
     * @param out {@code (rows, columns)}
     */
    void multiply(
            boolean transposeA, boolean transposeB, int rows, int columns, int inner, double alpha, double[] a, double[] b, double beta,
            double[] out);
}

package dev.tidestream.model.nd4j;

import org.bytedeco.openblas.global.openblas_nolapack;

import dev.tidestream.model.tuning.product.MatrixProducts;

/**
 * Products in float64, by ND4J's BLAS on one thread, so that the bits of a product do not depend on how many threads there are. Any
 * number of threads at once. Arrays go to BLAS as they are, and not as arrays of ND4J, which would leave native memory behind.
 */
public final class Nd4jProducts implements MatrixProducts {
    private static final int ROW_MAJOR = 101;
    private static final int AS_IT_IS = 111;
    private static final int TRANSPOSED = 112;

    /**
     * Loads ND4J.
     *
     * @throws Nd4jException if it cannot be loaded
     */
    public Nd4jProducts() {
        Nd4jRuntime.start();
    }

    @Override
    public void multiply(
            boolean transposeA, boolean transposeB, int rows, int columns, int inner, double alpha, double[] a, double[] b, double beta,
            double[] out) {
        if (rows < 1 || columns < 1 || inner < 1 || a.length < (long) rows * inner || b.length < (long) inner * columns
                || out.length < (long) rows * columns) {
            throw new IllegalArgumentException("no product (%d, %d) · (%d, %d): a=%d, b=%d, out=%d"
                    .formatted(rows, inner, inner, columns, a.length, b.length, out.length));
        }
        openblas_nolapack.cblas_dgemm(ROW_MAJOR, transposeA ? TRANSPOSED : AS_IT_IS, transposeB ? TRANSPOSED : AS_IT_IS, rows, columns,
                inner, alpha, a, transposeA ? rows : inner, b, transposeB ? inner : columns, beta, out, columns);
    }
}

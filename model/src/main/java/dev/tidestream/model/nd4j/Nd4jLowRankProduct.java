package dev.tidestream.model.nd4j;

import org.bytedeco.openblas.global.openblas_nolapack;

import dev.tidestream.model.patch.LowRankProduct;

/**
 * The product of a low-rank update, by ND4J's BLAS on one thread. The same bits whenever the same tile of rows is asked for; other
 * tiles may give other bits. Any number of threads at once.
 *
 * <p>{@code Nd4j.gemm} leaves about 1 KB of native memory behind per call (measured), and there is a call per panel; so this calls
 * what it calls.
 */
public final class Nd4jLowRankProduct implements LowRankProduct {
    private static final int ROW_MAJOR = 101;
    private static final int AS_IT_IS = 111;

    /**
     * Multiplies.
     *
     * @param a {@code (rows, rank)}
     * @param b {@code (rank, columns)}
     * @param out receives {@code (rows, columns)}
     * @throws IllegalArgumentException if an array is shorter than its shape
     * @throws Nd4jException if ND4J cannot be loaded
     */
    @Override
    public void multiply(float[] a, int rows, int rank, float[] b, int columns, float[] out) {
        if (rows < 1 || rank < 1 || columns < 1 || a.length < (long) rows * rank || b.length < (long) rank * columns
                || out.length < (long) rows * columns) {
            throw new IllegalArgumentException("no product (%d, %d) · (%d, %d): a=%d, b=%d, out=%d"
                    .formatted(rows, rank, rank, columns, a.length, b.length, out.length));
        }
        Nd4jRuntime.start();
        openblas_nolapack.cblas_sgemm(
                ROW_MAJOR, AS_IT_IS, AS_IT_IS, rows, columns, rank, 1f, a, rank, b, columns, 0f, out, columns);
    }
}

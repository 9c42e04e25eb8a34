/**
 * Code generators for products with floats in a single chain per row of weights, {@code acc = fma(x[k], w[k], acc)} over all columns: Q4_K
 * and Q5_K, and several rows of x with F32, F16 and BF16. One source for AVX2 and AVX-512
 * ({@link dev.tidestream.model.kernels.jit.base.Lanes}).
 *
 * <p>Run once, on the thread that assembles the programs. Knows neither {@code attention} nor {@code rows}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.chain;

import org.jspecify.annotations.NullMarked;

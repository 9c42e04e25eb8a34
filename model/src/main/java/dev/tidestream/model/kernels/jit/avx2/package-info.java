/**
 * Code generators for matrix products with AVX2, one recipe per format, and for quantising activations.
 *
 * <p>Run once, on the thread that assembles the programs. Knows neither {@code avx512} nor {@code attention} nor {@code rows}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.avx2;

import org.jspecify.annotations.NullMarked;

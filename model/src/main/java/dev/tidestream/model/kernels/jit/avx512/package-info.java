/**
 * Code generators for matrix products with AVX-512 (VBMI and VNNI), one recipe per format.
 *
 * <p>Run once, on the thread that assembles the programs. Knows neither {@code attention} nor {@code rows}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.avx512;

import org.jspecify.annotations.NullMarked;

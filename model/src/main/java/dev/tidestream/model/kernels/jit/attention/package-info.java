/**
 * Attention in generated machine code: the programs, their memory, and the order in which they are called.
 *
 * <p>Any thread; memory is per thread. Knows neither matrix products nor {@code rows}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.attention;

import org.jspecify.annotations.NullMarked;

/**
 * Normalisation, gates and what sampling does to a row of logits, in generated machine code.
 *
 * <p>Any thread; scratch memory is per thread. Knows neither matrix products nor {@code attention}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.rows;

import org.jspecify.annotations.NullMarked;

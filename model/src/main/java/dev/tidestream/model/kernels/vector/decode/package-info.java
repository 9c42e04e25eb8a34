/**
 * Matrix products of one row of activations in the Vector API: unpacking and multiplying fused, every weight byte read once.
 *
 * <p>Any thread; scratch space is per thread. Knows neither {@code batch} nor {@code attention}.
 */
@NullMarked
package dev.tidestream.model.kernels.vector.decode;

import org.jspecify.annotations.NullMarked;

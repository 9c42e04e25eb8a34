/**
 * Attention over a tile of queries in the Vector API.
 *
 * <p>Any thread; scratch space is per thread. Knows neither {@code decode} nor {@code batch}.
 */
@NullMarked
package dev.tidestream.model.kernels.vector.attention;

import org.jspecify.annotations.NullMarked;

/**
 * Matrix products of several rows of activations in the Vector API: blocks are unpacked to tiles that all rows go over.
 *
 * <p>Any thread; scratch space is per thread. Knows neither {@code decode} nor {@code attention}.
 */
@NullMarked
package dev.tidestream.model.kernels.vector.batch;

import org.jspecify.annotations.NullMarked;

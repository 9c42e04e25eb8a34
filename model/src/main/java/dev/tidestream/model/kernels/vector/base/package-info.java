/**
 * What the kernels in the Vector API share: vector shapes, half precision, exponentials, quantised activations, rows of logits,
 * scratch space.
 *
 * <p>Any thread; scratch space is per thread. Knows none of the packages beside it.
 */
@NullMarked
package dev.tidestream.model.kernels.vector.base;

import org.jspecify.annotations.NullMarked;

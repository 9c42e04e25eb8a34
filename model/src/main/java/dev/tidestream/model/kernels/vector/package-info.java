/**
 * {@link dev.tidestream.model.tensor.Kernels} in the Vector API, at any vector width. Only this package and those below know
 * {@code jdk.incubator.vector}.
 *
 * <p>Any thread; scratch space is per thread. Does not know machine code.
 */
@NullMarked
package dev.tidestream.model.kernels.vector;

import org.jspecify.annotations.NullMarked;

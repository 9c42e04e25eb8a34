/**
 * Which implementation of {@link dev.tidestream.model.tensor.Kernels} this process computes with: scalar, vector or generated
 * machine code. The implementations are in the packages below; they agree to the bit.
 *
 * <p>Any thread. What computes gets its {@code Kernels} handed in; only whoever starts a process, a benchmark or a test asks
 * here.
 */
@NullMarked
package dev.tidestream.model.kernels;

import org.jspecify.annotations.NullMarked;

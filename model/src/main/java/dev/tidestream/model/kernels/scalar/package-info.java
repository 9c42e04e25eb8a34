/**
 * {@link dev.tidestream.model.tensor.Kernels} one element at a time: the oracle, which defines the bits.
 *
 * <p>Any thread; no state. Imports {@code tensor} alone, above all neither the Vector API nor machine code.
 */
@NullMarked
package dev.tidestream.model.kernels.scalar;

import org.jspecify.annotations.NullMarked;

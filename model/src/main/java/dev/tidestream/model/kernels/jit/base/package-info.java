/**
 * What all generated programs share: how they are called, their scratch memory and constants, the record in which they read
 * quantised activations, and float arithmetic that is the same in AVX2 and AVX-512.
 *
 * <p>Any thread; scratch memory is per thread. Knows none of the packages beside it.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.base;

import org.jspecify.annotations.NullMarked;

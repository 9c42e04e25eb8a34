/**
 * {@link dev.tidestream.model.tensor.Kernels} in machine code that is generated when the process starts (x86-64 Linux, AVX2 or
 * AVX-512). A format without a kernel of its own takes those of {@code tile}. Only this package and those below know
 * {@code model.machine}.
 *
 * <p>Any thread; scratch space is per thread. Knows nothing of {@code kernels.vector}.
 */
@NullMarked
package dev.tidestream.model.kernels.jit;

import org.jspecify.annotations.NullMarked;

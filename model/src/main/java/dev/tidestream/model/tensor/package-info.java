/**
 * Matrices in panels, activations, and the interface of the arithmetic on them ({@link dev.tidestream.model.tensor.Kernels}),
 * whose scalar specification is written there.
 *
 * <p>Any thread: what is shared is immutable, and an {@code Activations} has one owner. Of this project it imports formats
 * only: neither an implementation of {@code Kernels} nor files, models or tokenizers.
 */
@NullMarked
package dev.tidestream.model.tensor;

import org.jspecify.annotations.NullMarked;

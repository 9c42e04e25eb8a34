/**
 * The formats of weights: {@link dev.tidestream.model.format.TensorFormat} lists them, a package each says what they are, and
 * {@code format.base} what that takes. Knows neither matrices nor kernels nor files.
 */
@NullMarked
package dev.tidestream.model.format;

import org.jspecify.annotations.NullMarked;

/**
 * Panel matrices and the kernels that read them. The only room with {@code jdk.incubator.vector}.
 */
@NullMarked
package dev.tidestream.model.tensor;

import org.jspecify.annotations.NullMarked;

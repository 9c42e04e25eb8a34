/** One class for each family of models: which metadata it reads, and under which names a file has its tensors. {@link Architectures} lists them. */
@NullMarked
package dev.tidestream.model.architecture.family;

import org.jspecify.annotations.NullMarked;

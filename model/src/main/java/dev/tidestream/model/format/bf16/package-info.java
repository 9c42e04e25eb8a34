/** The format BF16. */
@NullMarked
package dev.tidestream.model.format.bf16;

import org.jspecify.annotations.NullMarked;

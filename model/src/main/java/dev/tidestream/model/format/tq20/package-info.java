/** The format TQ2_0. */
@NullMarked
package dev.tidestream.model.format.tq20;

import org.jspecify.annotations.NullMarked;

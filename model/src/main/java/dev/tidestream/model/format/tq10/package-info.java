/** The format TQ1_0. */
@NullMarked
package dev.tidestream.model.format.tq10;

import org.jspecify.annotations.NullMarked;

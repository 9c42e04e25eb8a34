/** The format Q4_0. */
@NullMarked
package dev.tidestream.model.format.q40;

import org.jspecify.annotations.NullMarked;

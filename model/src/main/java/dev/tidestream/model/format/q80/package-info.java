/** The format Q8_0. */
@NullMarked
package dev.tidestream.model.format.q80;

import org.jspecify.annotations.NullMarked;

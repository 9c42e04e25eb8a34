/** The format Q4_K. */
@NullMarked
package dev.tidestream.model.format.q4k;

import org.jspecify.annotations.NullMarked;

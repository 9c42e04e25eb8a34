/** The format Q3_K. */
@NullMarked
package dev.tidestream.model.format.q3k;

import org.jspecify.annotations.NullMarked;

/** The format Q6_K. */
@NullMarked
package dev.tidestream.model.format.q6k;

import org.jspecify.annotations.NullMarked;

/** The format Q5_K. */
@NullMarked
package dev.tidestream.model.format.q5k;

import org.jspecify.annotations.NullMarked;

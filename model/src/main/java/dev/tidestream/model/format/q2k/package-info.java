/** The format Q2_K. */
@NullMarked
package dev.tidestream.model.format.q2k;

import org.jspecify.annotations.NullMarked;

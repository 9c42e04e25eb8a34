/** The format Q5_0. */
@NullMarked
package dev.tidestream.model.format.q50;

import org.jspecify.annotations.NullMarked;

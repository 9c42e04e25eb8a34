/** The format Q5_1. */
@NullMarked
package dev.tidestream.model.format.q51;

import org.jspecify.annotations.NullMarked;

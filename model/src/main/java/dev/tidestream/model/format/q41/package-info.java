/** The format Q4_1. */
@NullMarked
package dev.tidestream.model.format.q41;

import org.jspecify.annotations.NullMarked;

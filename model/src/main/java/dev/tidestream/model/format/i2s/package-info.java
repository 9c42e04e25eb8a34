/** The format I2_S. */
@NullMarked
package dev.tidestream.model.format.i2s;

import org.jspecify.annotations.NullMarked;

/** The archive, unpacked and started as its users do. */
@NullMarked
package dev.tidestream.distribution;

import org.jspecify.annotations.NullMarked;

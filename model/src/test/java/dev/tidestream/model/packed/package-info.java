/** Tests of packed: oracles that sort everything, statistics with a fixed seed, refusals. */
@NullMarked
package dev.tidestream.model.packed;

import org.jspecify.annotations.NullMarked;

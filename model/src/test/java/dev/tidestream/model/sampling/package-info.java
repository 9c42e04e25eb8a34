/** Tests of sampling: oracles that sort everything, statistics with a fixed seed, refusals. */
@NullMarked
package dev.tidestream.model.sampling;

import org.jspecify.annotations.NullMarked;

/** Tests. */
@NullMarked
package dev.tidestream.server.epoch;

import org.jspecify.annotations.NullMarked;

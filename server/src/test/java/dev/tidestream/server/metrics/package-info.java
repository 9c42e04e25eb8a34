/** Tests. */
@NullMarked
package dev.tidestream.server.metrics;

import org.jspecify.annotations.NullMarked;

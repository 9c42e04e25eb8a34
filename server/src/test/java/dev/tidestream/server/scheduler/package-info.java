/** Tests. */
@NullMarked
package dev.tidestream.server.scheduler;

import org.jspecify.annotations.NullMarked;

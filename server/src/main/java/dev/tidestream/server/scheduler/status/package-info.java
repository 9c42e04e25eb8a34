/**
 * What can be seen of a scheduler from outside, as data.
 */
@NullMarked
package dev.tidestream.server.scheduler.status;

import org.jspecify.annotations.NullMarked;

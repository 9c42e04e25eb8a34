/**
 * Which weights a sequence is computed with.
 */
@NullMarked
package dev.tidestream.server.scheduler.weights;

import org.jspecify.annotations.NullMarked;

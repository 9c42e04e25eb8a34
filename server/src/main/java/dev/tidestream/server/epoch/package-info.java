/**
 * Immutable model epochs, their leases, and the atomic publication of the next one. Knows neither Vert.x nor Reactor.
 */
@NullMarked
package dev.tidestream.server.epoch;

import org.jspecify.annotations.NullMarked;

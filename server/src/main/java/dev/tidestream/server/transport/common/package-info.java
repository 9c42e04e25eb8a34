/**
 * What both {@code http} and {@code websocket} need: time on an event loop, the way to one from other threads, and the counters
 * of refusals. Knows neither of them.
 */
@NullMarked
package dev.tidestream.server.transport.common;

import org.jspecify.annotations.NullMarked;

/**
 * What both {@code http} and {@code websocket} need: time on an event loop, and the counters of refusals. Knows neither of them.
 */
@NullMarked
package dev.tidestream.server.transport.common;

import org.jspecify.annotations.NullMarked;

/**
 * What {@code http}, {@code websocket} and {@code endpoint} need: time on an event loop, the way to one from other threads, room for what
 * is being received, and who was refused. Knows none of them.
 */
@NullMarked
package dev.tidestream.server.transport.common;

import org.jspecify.annotations.NullMarked;

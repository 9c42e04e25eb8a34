/**
 * One stream of one client, whatever wire it is on: {@code ClientStream} subscribes to the engine's events and keeps the books of their
 * demand, a {@code FrameMapper} makes frames of them. Event loop.
 */
@NullMarked
package dev.tidestream.server.transport.stream;

import org.jspecify.annotations.NullMarked;

/**
 * Changes under running streams: the durable log of weight versions, payloads on their way to disk, files to take updates from.
 * Worker threads only; never the event loop, never the decode thread. The exception is the way in: {@code AdminVerticle} and its
 * {@code AdminDispatcher} live on an event loop and call the {@code AdminDesk} on workers of their own.
 */
@NullMarked
package dev.tidestream.server.admin;

import org.jspecify.annotations.NullMarked;

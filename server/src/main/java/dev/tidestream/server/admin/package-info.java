/**
 * Changes under running streams: the durable log of weight versions, payloads on their way to disk, files to take updates from.
 * Worker threads only; never the event loop, never the decode thread.
 */
@NullMarked
package dev.tidestream.server.admin;

import org.jspecify.annotations.NullMarked;

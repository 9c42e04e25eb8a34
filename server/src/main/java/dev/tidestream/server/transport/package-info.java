/**
 * Frames in, frames out, nothing else: Vert.x event loops, protocol and engine; never scheduler, epoch or model.
 */
@NullMarked
package dev.tidestream.server.transport;

import org.jspecify.annotations.NullMarked;

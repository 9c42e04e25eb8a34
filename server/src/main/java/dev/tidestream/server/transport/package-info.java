/**
 * Frames in, frames out, nothing else: Vert.x event loops, protocol and engine; never scheduler, epoch or model.
 *
 * <p>{@link dev.tidestream.server.transport.ServerVerticle} listens, {@code HttpApi} answers plain requests,
 * {@code WebSocketSession} is one connection, {@code ClientStream} one stream and its demand. All of it lives on the event
 * loop of the verticle; the one door for other threads is {@code Mailbox}.
 */
@NullMarked
package dev.tidestream.server.transport;

import org.jspecify.annotations.NullMarked;

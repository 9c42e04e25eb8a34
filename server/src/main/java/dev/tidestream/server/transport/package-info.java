/**
 * Frames in, frames out, nothing else: Vert.x event loops, protocol and engine; never scheduler, epoch or model, and of admin
 * only its bus.
 *
 * <p>{@link dev.tidestream.server.transport.ServerVerticle} listens, {@code HttpApi} answers plain requests,
 * {@code WebSocketSession} is one connection, {@code ClientStream} one stream and its demand, {@code AdminSession} the connection
 * of an administrator; {@code Drain} ends them all. What WebSockets are is in {@code websocket}, what requests are in {@code
 * http}. All of it lives on the event loop of the verticle; the endpoints for other threads are {@code Mailbox} and
 * the event bus.
 */
@NullMarked
package dev.tidestream.server.transport;

import org.jspecify.annotations.NullMarked;

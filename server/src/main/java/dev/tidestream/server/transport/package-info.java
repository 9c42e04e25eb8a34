/**
 * Frames in, frames out, nothing else: Vert.x event loops, protocol and engine; never scheduler, epoch or model, and of admin
 * only its bus.
 *
 * <p>{@link dev.tidestream.server.transport.ServerVerticle} listens, {@code Probes} are health and metrics, a {@code WebSocketEndpoint} is
 * where requests become WebSockets, {@code WebSocketSession} one of them, {@code AdminSession} that of an administrator; {@code Drain}
 * ends them all. What WebSockets are is in {@code websocket}, what requests are in {@code http}, where they lead in {@code endpoint}, one
 * stream and its demand in {@code stream}. All of it lives on the event loop of the verticle; the ways in for other threads are {@code Mailbox} and
 * the event bus.
 */
@NullMarked
package dev.tidestream.server.transport;

import org.jspecify.annotations.NullMarked;

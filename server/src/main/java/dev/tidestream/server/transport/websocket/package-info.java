/**
 * RFC 6455, the server's side, on a plain socket: handshake, frames, the closing handshake, and the bounds of it all.
 *
 * <p>{@code Handshake} makes a request a WebSocket. {@code FrameDecoder} judges bytes as they come and hands pieces on, so
 * nothing waits for the end of a frame; {@code MessageAssembler} puts pieces of text together within {@code AssemblyBudget};
 * {@code Connection} is what sessions hold. Everything runs on the event loop of its connection. Knows nothing of what is said in
 * messages, and of Vert.x only its sockets.
 */
@NullMarked
package dev.tidestream.server.transport.websocket;

import org.jspecify.annotations.NullMarked;

/**
 * HTTP up to where a request is answered or becomes a WebSocket: connections and their bounds, what is no request, who may ask.
 *
 * <p>{@code HttpConnections} bounds connections that have not become WebSockets; {@code StrictRequestDecoder} refuses what is
 * ambiguous; {@code RequestRules} judges requests, {@code HostPolicy} where they come from; {@code JsonAnswer} is what answers
 * look like. Event loop.
 */
@NullMarked
package dev.tidestream.server.transport.http;

import org.jspecify.annotations.NullMarked;

/**
 * What gateway and worker say to each other over one WebSocket: requests of streams one way, their events the other, many streams on one
 * connection. Messages are batches: JSON arrays of frames, so that the tokens of a decode step travel together. Knows the engine's
 * requests and events, neither Vert.x nor any wire of clients.
 */
@NullMarked
package dev.tidestream.server.cluster.wire;

import org.jspecify.annotations.NullMarked;

/**
 * Wires for other servers rather than for clients.
 */
@NullMarked
package dev.tidestream.server.transport.peer;

import org.jspecify.annotations.NullMarked;

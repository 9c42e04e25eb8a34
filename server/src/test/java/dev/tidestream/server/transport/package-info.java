/** Real sockets and the JDK's own WebSocket client against a scripted engine. */
@NullMarked
package dev.tidestream.server.transport;

import org.jspecify.annotations.NullMarked;

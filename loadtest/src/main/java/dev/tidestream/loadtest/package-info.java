/**
 * A WebSocket-native client from outside: it knows the protocol and the JDK, never model or server.
 */
@NullMarked
package dev.tidestream.loadtest;

import org.jspecify.annotations.NullMarked;

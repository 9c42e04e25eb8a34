@NullMarked
package dev.tidestream.server.transport.websocket;

import org.jspecify.annotations.NullMarked;

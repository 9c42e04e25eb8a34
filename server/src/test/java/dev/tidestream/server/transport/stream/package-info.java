@NullMarked
package dev.tidestream.server.transport.stream;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.tidestream.server.transport.tls;

import org.jspecify.annotations.NullMarked;

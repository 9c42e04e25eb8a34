/** Who may use an endpoint. */
@NullMarked
package dev.tidestream.server.transport.endpoint;

import org.jspecify.annotations.NullMarked;

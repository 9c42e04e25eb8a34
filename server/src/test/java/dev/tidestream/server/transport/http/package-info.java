@NullMarked
package dev.tidestream.server.transport.http;

import org.jspecify.annotations.NullMarked;

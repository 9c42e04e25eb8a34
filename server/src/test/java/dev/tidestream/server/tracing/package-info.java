/** Traces: what the specification has, and what is made of it. */
@NullMarked
package dev.tidestream.server.tracing;

import org.jspecify.annotations.NullMarked;

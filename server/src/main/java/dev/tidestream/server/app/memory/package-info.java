/**
 * The memory of this process: what its JVM may take, what the system has left, and heap that is given back while nobody streams.
 */
@NullMarked
package dev.tidestream.server.app.memory;

import org.jspecify.annotations.NullMarked;

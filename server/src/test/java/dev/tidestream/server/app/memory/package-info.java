/**
 * Tests of the memory of a process.
 */
@NullMarked
package dev.tidestream.server.app.memory;

import org.jspecify.annotations.NullMarked;

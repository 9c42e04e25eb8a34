/**
 * The command line: one class per command, on the main thread. The only room that knows every other.
 */
@NullMarked
package dev.tidestream.server.cli;

import org.jspecify.annotations.NullMarked;

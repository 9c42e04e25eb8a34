/**
 * The command line: one class per command, on the main thread. With the packages below it the only room that knows every other; nobody
 * knows it.
 */
@NullMarked
package dev.tidestream.server.cli;

import org.jspecify.annotations.NullMarked;

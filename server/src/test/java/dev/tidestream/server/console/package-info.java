/** The console in a real browser, where there is one; and how its files are sent. */
@NullMarked
package dev.tidestream.server.console;

import org.jspecify.annotations.NullMarked;

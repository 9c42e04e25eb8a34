/**
 * The web console: static files in the jar, sent as they are. Event loop; knows of the server what a page does, that there are endpoints.
 */
@NullMarked
package dev.tidestream.server.console;

import org.jspecify.annotations.NullMarked;

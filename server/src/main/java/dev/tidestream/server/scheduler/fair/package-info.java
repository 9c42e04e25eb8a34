/**
 * Whose turn it is: deficit round robin of clients and their connections, and the share of batch streams. Data structures that know
 * neither sequences nor time nor threads; touched by the decode thread only.
 */
@NullMarked
package dev.tidestream.server.scheduler.fair;

import org.jspecify.annotations.NullMarked;

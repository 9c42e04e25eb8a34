/**
 * The decode loop and the streams it feeds. Knows Reactor, not Vert.x.
 */
@NullMarked
package dev.tidestream.server.engine;

import org.jspecify.annotations.NullMarked;

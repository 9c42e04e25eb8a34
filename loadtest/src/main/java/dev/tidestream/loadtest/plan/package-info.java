/**
 * What a run shall do, as immutable values read from the command line. No threads, no sockets; must not import the other rooms.
 */
@NullMarked
package dev.tidestream.loadtest.plan;

import org.jspecify.annotations.NullMarked;

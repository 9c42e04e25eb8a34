/** The load itself: arrivals, streams, checks, faults, admin traffic. All state belongs to the one I/O thread. */
@NullMarked
package dev.tidestream.loadtest.run;

import org.jspecify.annotations.NullMarked;

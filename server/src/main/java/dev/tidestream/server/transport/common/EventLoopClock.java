package dev.tidestream.server.transport.common;

import java.time.Duration;

/** The time of one event loop, and calls at a later one; a test has a clock that stands until it is advanced. Event loop. */
public interface EventLoopClock {

    /** A call that is to come. */
    interface Timer {
        /** Now it does not come any more; nothing happens if it has. */
        void cancel();
    }

    /** Nanoseconds from an origin that stays the same. */
    long nanoTime();

    /**
     * Runs the task once, on the event loop, when this time has passed, at most a millisecond later if nothing else runs there.
     */
    Timer after(Duration delay, Runnable task);
}

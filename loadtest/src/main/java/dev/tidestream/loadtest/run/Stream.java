package dev.tidestream.loadtest.run;

import dev.tidestream.loadtest.figures.StreamTimes;

/** One stream under way; belongs to the I/O thread. */
final class Stream {
    /** What this stream does in its middle. */
    enum Fault {
        NONE,
        VANISH,
        CANCEL,
        SLOW
    }

    final String id;
    final long intendedNs;
    final long sentNs;
    final boolean measured;
    final StreamCheck check;
    final Fault fault;
    /** The fault happens when so many tokens have come. */
    final int faultAfter;
    long firstNs;
    long lastNs;
    /** Of the last sign of life. */
    long heardNs;
    /** The client read slowly meanwhile: the stream's times are not the server's. */
    boolean slowed;
    boolean cancelled;
    boolean vanished;
    /** Credit granted so far, for paced readers. */
    long granted;

    Stream(String id, long intendedNs, long sentNs, boolean measured, StreamCheck check, Fault fault, int faultAfter) {
        this.id = id;
        this.intendedNs = intendedNs;
        this.sentNs = sentNs;
        this.measured = measured;
        this.check = check;
        this.fault = fault;
        this.faultAfter = faultAfter;
        this.heardNs = sentNs;
    }

    StreamTimes times(long endNs) {
        return new StreamTimes(intendedNs, sentNs, firstNs, lastNs, endNs, check.tokens());
    }
}

package dev.tidestream.loadtest.figures;

import org.HdrHistogram.Histogram;

/** Gathers pauses; for one thread. */
public final class Pauses {
    private static final int DIGITS = 3;

    private final Histogram pauses = new Histogram(DIGITS);

    public void add(long ns) {
        pauses.recordValue(Math.max(0, ns));
    }

    public Latency latency() {
        return Latency.of(pauses);
    }
}

package dev.tidestream.server.metrics;

/**
 * What a client waits for, as two histograms, since the start or since {@link #forget}. Any thread records, wait-free and without allocation.
 *
 * <pre>
 * time to first token, upper bounds in seconds
 *   0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 infinity
 * time from one token of a stream to the next, upper bounds in seconds
 *   0.001 0.0025 0.005 0.01 0.02 0.03 0.05 0.075 0.1 0.15 0.25 0.5 1 2.5 10 infinity
 * </pre>
 */
public final class StreamTimings {
    private final TimeBuckets firstToken = new TimeBuckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
    private final TimeBuckets nextToken =
            new TimeBuckets(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10);

    /**
     * A stream has its first token.
     *
     * @param nanos since its request came, waiting for a place included
     */
    public void firstToken(long nanos) {
        firstToken.record(nanos);
    }

    /**
     * A stream has another token.
     *
     * @param nanos since the one before; of a stream that had no demand in between, this is the client's time, not ours: leave
     *     it out
     */
    public void nextToken(long nanos) {
        nextToken.record(nanos);
    }

    /** As if nothing had been recorded; for the end of a warm-up, while no stream runs. Any thread. */
    public void forget() {
        firstToken.forget();
        nextToken.forget();
    }

    TimeBuckets.Snapshot firstTokenSnapshot() {
        return firstToken.snapshot();
    }

    TimeBuckets.Snapshot nextTokenSnapshot() {
        return nextToken.snapshot();
    }
}

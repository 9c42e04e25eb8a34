package dev.tidestream.server.metrics;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** A histogram with fixed bounds. Any thread records, wait-free and without allocation; any thread reads. */
final class TimeBuckets {
    private static final double NANOS_PER_SECOND = 1e9;

    private final double[] boundsSeconds; // ascending; the last is infinite
    private final long[] boundsNs; // the same without the last
    private final AtomicLongArray counts; // one per bound
    private final AtomicLong sumNs = new AtomicLong();

    /** @param boundsSeconds upper bounds, inclusive, ascending, finite */
    TimeBuckets(double... boundsSeconds) {
        this.boundsSeconds = Arrays.copyOf(boundsSeconds, boundsSeconds.length + 1);
        this.boundsSeconds[boundsSeconds.length] = Double.POSITIVE_INFINITY;
        this.boundsNs = Arrays.stream(boundsSeconds).mapToLong(seconds -> Math.round(seconds * NANOS_PER_SECOND)).toArray();
        this.counts = new AtomicLongArray(this.boundsSeconds.length);
    }

    /**
     * A copy.
     *
     * @param upperSeconds inclusive bounds, ascending; the last is infinite
     * @param counts how many times were within a bound and above the one before; not cumulative
     * @param sumSeconds of all times
     */
    record Snapshot(double[] upperSeconds, long[] counts, double sumSeconds) {}

    /** A time below 0 counts as 0. */
    void record(long nanos) {
        int bucket = 0;
        while (bucket < boundsNs.length && nanos > boundsNs[bucket]) {
            bucket++;
        }
        sumNs.getAndAdd(Math.max(0, nanos));
        counts.getAndIncrement(bucket);
    }

    /** As if nothing had been recorded; while nobody records. */
    void forget() {
        for (int i = 0; i < counts.length(); i++) {
            counts.set(i, 0);
        }
        sumNs.set(0);
    }

    /** Taken while others record, the sum may be ahead of the counts. */
    Snapshot snapshot() {
        long[] copy = new long[counts.length()];
        Arrays.setAll(copy, counts::get);
        return new Snapshot(boundsSeconds.clone(), copy, sumNs.get() / NANOS_PER_SECOND);
    }
}

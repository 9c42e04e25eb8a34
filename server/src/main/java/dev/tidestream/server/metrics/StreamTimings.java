package dev.tidestream.server.metrics;

import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a client waits for, how streams end, and how long steps take, since the start or since {@link #forget}. Any thread records, wait-free; times without
 * allocation. Each histogram has its own upper bounds, in seconds; the last is infinite.
 */
public final class StreamTimings {
    private static final double NANOS_PER_MS = 1e6;
    /** Those that somebody is alarmed of are shown as 0 from the start: what begins with 1 is no increase for Prometheus. */
    private static final Map<String, Long> NONE_YET = Map.of("busy", 0L, "internal", 0L);

    private final TimeBuckets queued = new TimeBuckets(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
    private final TimeBuckets firstToken = new TimeBuckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
    private final TimeBuckets nextToken =
            new TimeBuckets(0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10);
    private final TimeBuckets whole = new TimeBuckets(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 300, 600);
    private final Map<Phase, TimeBuckets> steps = Map.of(Phase.PREFILL, stepBuckets(), Phase.DECODE, stepBuckets(), Phase.MIXED, stepBuckets());
    private final Map<String, LongAdder> outcomes = new ConcurrentHashMap<>();

    /** What the rows of a step are of. */
    public enum Phase {
        /** Prompts only. */
        PREFILL,
        /** Streams that have tokens, only. */
        DECODE,
        /** Both. */
        MIXED
    }

    private static TimeBuckets stepBuckets() {
        return new TimeBuckets(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10);
    }

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

    /**
     * A step was computed.
     *
     * @param nanos that it took
     */
    public void stepped(Phase phase, long nanos) {
        Objects.requireNonNull(steps.get(phase)).record(nanos);
    }

    /**
     * A stream has ended.
     *
     * @param outcome one of a fixed set
     * @param queueMs until it was first given a place
     * @param totalMs since its request came
     */
    public void ended(String outcome, double queueMs, double totalMs) {
        outcomes.computeIfAbsent(outcome, o -> new LongAdder()).increment();
        queued.record((long) (queueMs * NANOS_PER_MS));
        whole.record((long) (totalMs * NANOS_PER_MS));
    }

    /** As if nothing had been recorded; for the end of a warm-up, while no stream runs. Any thread. */
    public void forget() {
        queued.forget();
        firstToken.forget();
        nextToken.forget();
        whole.forget();
        steps.values().forEach(TimeBuckets::forget);
        outcomes.clear();
    }

    TimeBuckets.Snapshot queuedSnapshot() {
        return queued.snapshot();
    }

    TimeBuckets.Snapshot wholeSnapshot() {
        return whole.snapshot();
    }

    TimeBuckets.Snapshot stepSnapshot(Phase phase) {
        return Objects.requireNonNull(steps.get(phase)).snapshot();
    }

    /** Streams that have ended, by outcome. */
    Map<String, Long> outcomes() {
        Map<String, Long> counts = new TreeMap<>(NONE_YET);
        outcomes.forEach((outcome, count) -> counts.put(outcome, count.sum()));
        return counts;
    }

    TimeBuckets.Snapshot firstTokenSnapshot() {
        return firstToken.snapshot();
    }

    TimeBuckets.Snapshot nextTokenSnapshot() {
        return nextToken.snapshot();
    }
}

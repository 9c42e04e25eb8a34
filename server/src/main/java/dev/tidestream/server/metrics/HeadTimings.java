package dev.tidestream.server.metrics;

import java.util.concurrent.atomic.AtomicLong;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;
import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.HeadObserver;

/**
 * How long computing logits takes, per mode of the head, since the start or since {@link #forget}.
 *
 * <p>One thread writes, the decode thread; any thread reads. A call with one row is kept apart from calls with more: at one row
 * the time is that of streaming the matrix once, whoever else is served, and so it is the number by which modes compare. The
 * writer records into an HdrHistogram of its own (Tene's writer-reader phaser), which a reader exchanges for an empty one: the
 * writer never waits, and pays for no reader. Times are kept to 1 %, from 0.1 microseconds to a minute; longer ones count as a minute in
 * percentiles, not in sums.
 */
public final class HeadTimings implements HeadObserver {
    private static final long FINEST_NS = 100;
    private static final long LONGEST_NS = 60_000_000_000L;
    private static final int SIGNIFICANT_DIGITS = 2;
    private static final double MEDIAN = 50;
    private static final double P99 = 99;
    private static final double NANOS_PER_MICRO = 1e3;

    private final PerMode transposePerStep = new PerMode();
    private final PerMode cachedTranspose = new PerMode();
    private final PerMode packed = new PerMode();

    private PerMode of(HeadMode mode) {
        return switch (mode) {
            case TRANSPOSE_PER_STEP -> transposePerStep;
            case CACHED_TRANSPOSE -> cachedTranspose;
            case PACKED -> packed;
        };
    }

    /**
     * Percentiles of the time of a call.
     *
     * @param calls that were recorded; 0 makes all percentiles 0
     * @param nanos of these calls together
     * @param p50Micros half of the calls took at most so many microseconds
     * @param p99Micros 99 % of the calls
     */
    public record Latency(long calls, long nanos, double p50Micros, double p99Micros) {
        private static Latency of(Histogram times, long nanos) {
            return new Latency(times.getTotalCount(), nanos, micros(times, MEDIAN), micros(times, P99));
        }

        private static double micros(Histogram times, double percentile) {
            return times.getTotalCount() == 0 ? 0 : times.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
        }
    }

    /**
     * What one mode did. Taken while the writer is at work, sums may be one call ahead of the percentiles.
     *
     * @param allCalls whatever their rows
     * @param singleRow calls with one row
     * @param rows of all calls
     * @param bytesRead of the head's matrix, by all calls
     */
    public record Snapshot(Latency allCalls, Latency singleRow, long rows, long bytesRead) {

        /** Bytes read per time, in 10^9 bytes per second, over all calls; 0 if there was none. */
        public double gigabytesPerSecond() {
            return allCalls.nanos == 0 ? 0 : (double) bytesRead / allCalls.nanos;
        }
    }

    /** Decode thread only. */
    @Override
    public void logitsComputed(HeadMode mode, int rows, long weightBytesRead, long nanos) {
        of(mode).record(rows, weightBytesRead, Math.max(0, nanos));
    }

    /** What a mode did so far; any thread. */
    public Snapshot snapshot(HeadMode mode) {
        return of(mode).snapshot();
    }

    /** As if nothing had been recorded; for the end of a warm-up, while no call is made. Any thread. */
    public void forget() {
        transposePerStep.forget();
        cachedTranspose.forget();
        packed.forget();
    }

    private static Histogram histogram() {
        return new Histogram(FINEST_NS, LONGEST_NS, SIGNIFICANT_DIGITS);
    }

    /** Single writer. */
    private static void add(AtomicLong sum, long value) {
        sum.setRelease(sum.getPlain() + value);
    }

    /** A recorder and all that was read from it so far. */
    private static final class Accumulated {
        private final SingleWriterRecorder recorder = new SingleWriterRecorder(FINEST_NS, LONGEST_NS, SIGNIFICANT_DIGITS);
        private final AtomicLong sumNs = new AtomicLong();
        private final Histogram total = histogram(); // readers
        private @Nullable Histogram spare; // readers

        void record(long nanos) {
            add(sumNs, nanos);
            recorder.recordValue(Math.min(nanos, LONGEST_NS));
        }

        void forget() {
            total().reset();
            sumNs.set(0);
        }

        /** Takes over what is new; readers, one at a time. */
        Histogram total() {
            spare = recorder.getIntervalHistogram(spare);
            total.add(spare);
            return total;
        }
    }

    private static final class PerMode {
        private final Accumulated singleRow = new Accumulated();
        private final Accumulated manyRows = new Accumulated();
        private final AtomicLong rows = new AtomicLong();
        private final AtomicLong bytesRead = new AtomicLong();

        void record(int callRows, long callBytes, long callNanos) {
            add(rows, callRows);
            add(bytesRead, callBytes);
            (callRows == 1 ? singleRow : manyRows).record(callNanos);
        }

        synchronized void forget() {
            singleRow.forget();
            manyRows.forget();
            rows.set(0);
            bytesRead.set(0);
        }

        synchronized Snapshot snapshot() {
            Histogram single = singleRow.total();
            Histogram all = histogram();
            all.add(single);
            all.add(manyRows.total());
            long singleNs = singleRow.sumNs.getAcquire();
            return new Snapshot(
                    Latency.of(all, singleNs + manyRows.sumNs.getAcquire()),
                    Latency.of(single, singleNs),
                    rows.getAcquire(),
                    bytesRead.getAcquire());
        }
    }
}

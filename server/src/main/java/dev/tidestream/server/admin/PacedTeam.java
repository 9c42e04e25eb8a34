package dev.tidestream.server.admin;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

import dev.tidestream.model.tensor.WorkerTeam;

/**
 * One worker thread that builds while tokens flow. Every core belongs to the decode loop and its kernels, which meet at a barrier
 * a hundred times per token: a builder that runs on and on takes a core away for whole scheduler slices, and each barrier waits for
 * it. So work is cut into single items of a region, and after every {@value #SLICE_NS} ns of it the builder sleeps, so long that its
 * share of one core stays what was configured. While no stream runs, it does not sleep.
 *
 * <p>Used by one thread at a time.
 */
public final class PacedTeam implements WorkerTeam {
    /** Well below a decode step of a large model, and long enough that the clock is not what is measured. */
    static final long SLICE_NS = 500_000;

    private static final long LONGEST_PAUSE_NS = 50_000_000;

    private final BooleanSupplier streamsRun;
    private final double share;
    private final LongSupplier nanoClock;
    private final LongConsumer pause;
    private long sliceStartNs;

    /**
     * @param streamsRun whether there is anybody to make way for
     * @param share of one core that the builder may use meanwhile, above 0, at most 1
     */
    public PacedTeam(BooleanSupplier streamsRun, double share) {
        this(streamsRun, share, System::nanoTime, LockSupport::parkNanos);
    }

    PacedTeam(BooleanSupplier streamsRun, double share, LongSupplier nanoClock, LongConsumer pause) {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be in (0, 1]: share=" + share);
        }
        this.streamsRun = streamsRun;
        this.share = share;
        this.nanoClock = nanoClock;
        this.pause = pause;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        sliceStartNs = nanoClock.getAsLong();
        for (int from = 0; from < items; ) {
            int to = (int) Math.min(items, (long) from + Math.max(1, grain));
            task.run(from, to);
            from = to;
            makeWay();
        }
    }

    private void makeWay() {
        long workedNs = nanoClock.getAsLong() - sliceStartNs;
        if (workedNs < SLICE_NS) {
            return;
        }
        if (share < 1 && streamsRun.getAsBoolean()) {
            pause.accept(Math.min(LONGEST_PAUSE_NS, (long) (workedNs * (1 - share) / share)));
        }
        sliceStartNs = nanoClock.getAsLong();
    }
}

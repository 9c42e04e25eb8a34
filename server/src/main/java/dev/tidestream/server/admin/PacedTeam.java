package dev.tidestream.server.admin;

import java.util.function.LongSupplier;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.server.epoch.StepBreak;

/**
 * One worker thread that builds while tokens flow. Every core belongs to the decode loop and its kernels, so work is cut into the
 * smallest pieces of a region, and while steps are done it goes on in their breaks only, see {@link StepBreak}. What takes less than
 * {@value #SLICE_NS} ns is not worth a break, and done at once.
 *
 * <p>Used by one thread at a time.
 */
public final class PacedTeam implements WorkerTeam {
    /** Well below a decode step of a large model, and long enough that the clock is not what is measured. */
    static final long SLICE_NS = 500_000;

    private final StepBreak breaks;
    private final double share;
    private final LongSupplier nanoClock;

    /**
     * @param breaks of the decode loop that is to be made way for
     * @param share of the time that breaks may take while streams run, above 0, at most 1; with 1, no way is made
     */
    public PacedTeam(StepBreak breaks, double share) {
        this(breaks, share, System::nanoTime);
    }

    PacedTeam(StepBreak breaks, double share, LongSupplier nanoClock) {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be in (0, 1]: share=" + share);
        }
        this.breaks = breaks;
        this.share = share;
        this.nanoClock = nanoClock;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        long sliceStartNs = nanoClock.getAsLong();
        try {
            for (int from = 0; from < items; ) {
                int to = (int) Math.min(items, (long) from + Math.max(1, grain));
                task.run(from, to);
                from = to;
                if (from < items && share < 1 && !breaks.free() && nanoClock.getAsLong() - sliceStartNs >= SLICE_NS) {
                    breaks.await(share);
                    sliceStartNs = nanoClock.getAsLong();
                }
            }
        } finally {
            breaks.end();
        }
    }
}

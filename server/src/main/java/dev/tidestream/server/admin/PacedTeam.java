package dev.tidestream.server.admin;

import java.util.function.LongSupplier;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.server.epoch.StepBreak;

/**
 * One worker thread that builds while tokens flow. Every core belongs to the decode loop and its kernels, so work is cut into the
 * smallest pieces of a region, and while steps are done it goes on in their breaks only, see {@link StepBreak}. What takes less than
 * {@value #SLICE_NS} ns is not worth a break, and done at once.
 *
 * <p>Regions are one thread's at a time.
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

    /**
     * A break that is open in the end stays open, for what the builder does next: see {@link #rest}. A piece is taken to be as long as the
     * one before it.
     */
    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        Pieces pieces = pieces();
        for (int from = 0; from < items; ) {
            int to = (int) Math.min(items, (long) from + Math.max(1, grain));
            long startNs = nanoClock.getAsLong();
            task.run(from, to);
            from = to;
            if (from < items) {
                pieces.next(nanoClock.getAsLong() - startNs);
            }
        }
    }

    /** For work that is no region. Any thread. */
    Pieces pieces() {
        return new Pieces();
    }

    /** Work of one thread in pieces. */
    final class Pieces {
        private long sliceStartNs = nanoClock.getAsLong();

        /** Between two pieces: returns at once, or in the next break. */
        void next(long expectedNs) {
            long neededNs = Math.max(1, expectedNs);
            if (share < 1 && nanoClock.getAsLong() - sliceStartNs >= SLICE_NS && breaks.leftNs() < neededNs) {
                breaks.await(share, neededNs);
                sliceStartNs = nanoClock.getAsLong();
            }
        }
    }

    /** Returns when the builder may work, for what cannot be cut into pieces; the break is over at twice its length. */
    void awaitBreak() {
        if (share < 1) {
            breaks.await(share, SLICE_NS);
        }
    }

    /** The builder has nothing to do for now: a break that is open ends. */
    void rest() {
        breaks.end();
    }
}

package dev.tidestream.server.pacing;

import java.util.function.LongSupplier;

import dev.tidestream.model.tensor.WorkerTeam;

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
    private final StepBreak.Turn turn; // of regions and what is between them
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
        this.turn = breaks.turn();
        this.share = share;
        this.nanoClock = nanoClock;
    }

    @Override
    public int size() {
        return 1;
    }

    /**
     * Does not leave the break on return, so that the builder can go on in it; {@link #rest} leaves it. Each piece is predicted to
     * take as long as the previous one.
     */
    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        Pieces pieces = new Pieces(turn);
        for (int from = 0; from < items; ) {
            int to = (int) Math.min(items, (long) from + Math.max(1, grain));
            long startNs = nanoClock.getAsLong();
            task.run(from, to);
            long pieceNs = nanoClock.getAsLong() - startNs;
            pieces.worked(pieceNs);
            from = to;
            if (from < items) {
                pieces.next(pieceNs);
            }
        }
    }

    /** For work that is no region. */
    public Pieces pieces() {
        return new Pieces(breaks.turn());
    }

    /** Work of one thread in pieces. */
    public final class Pieces {
        private final StepBreak.Turn pieceTurn;
        private long workedNs; // since there was a break, or it was seen that none is needed

        private Pieces(StepBreak.Turn turn) {
            this.pieceTurn = turn;
        }

        /** Between two pieces: returns at once, or in the next break. */
        public void next(long expectedNs) {
            if (share < 1 && workedNs >= SLICE_NS) {
                pieceTurn.await(share, Math.max(1, expectedNs));
                workedNs = 0;
            }
        }

        /** A piece has been done that took so long. */
        public void worked(long pieceNs) {
            workedNs += pieceNs;
        }

        /** Nothing to do for now: leaves the break that it is in. */
        public void rest() {
            pieceTurn.leave();
        }
    }

    /** Returns when the builder may work, for what cannot be cut into pieces; the break is over at twice its length. */
    public void awaitBreak() {
        if (share < 1) {
            turn.await(share, SLICE_NS);
        }
    }

    /** The builder has nothing to do for now: it leaves the break that it is in. */
    public void rest() {
        turn.leave();
    }
}

package dev.tidestream.server.scheduler.fair;

import java.util.function.DoubleSupplier;

/**
 * What batch streams are owed. While they wait they earn a share of what interactive streams are served, and they pay for what they
 * are served while interactive ones wait. As long as they are owed anything, the next slot that is free is one of theirs; so of all
 * tokens that are computed while both wait they get the share, but for what they are in advance: the last stream that got a slot.
 */
public final class BatchShare {
    /** Most tokens that they are ever owed: they catch up on a while, not on a day. */
    static final double MOST_OWED = 4096;

    private final DoubleSupplier share;
    private double owed;

    /** @param share of all tokens, 0 to below 1, asked each time; 0: batch streams wait for all others */
    public BatchShare(DoubleSupplier share) {
        this.share = share;
    }

    /** Interactive streams were served while batch streams waited. */
    public void interactiveServed(long tokens) {
        double now = share.getAsDouble();
        owed = Math.min(MOST_OWED, owed + tokens * now / (1 - now));
    }

    /** Batch streams were served while interactive ones waited. */
    public void batchServed(long tokens) {
        owed -= tokens;
    }

    /** Whether a batch stream comes before interactive ones that wait. */
    public boolean isOwed() {
        return owed > 0;
    }

    /** No batch stream waits: nothing is saved for those to come. */
    public void nobodyWaits() {
        owed = Math.min(0, owed);
    }

    /** No stream waits at all: what batch streams were served in advance was taken from nobody. */
    public void forgive() {
        owed = 0;
    }
}

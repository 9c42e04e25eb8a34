package dev.tidestream.server.scheduler.fair;

import java.util.function.DoubleSupplier;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Priority;

/**
 * Whose turn it is to get a slot: of each priority, that of the {@link FairShares}, one token at a time, so that whoever owes least
 * comes first; and of the priorities the interactive one, unless the other is owed its {@link BatchShare}. A party is here while it
 * has a stream that runs or waits for a slot; what it owes is forgotten with its last. Each question is a round, also if nobody can
 * be served: so in each step in which somebody waits, all debts fall by a token.
 */
public final class Turns {
    private final FairShares ofInteractive = new FairShares(1);
    private final FairShares ofBatch = new FairShares(1);
    private final BatchShare batch;
    private boolean anyCharge;

    /** @param batchShare of all tokens, kept for batch streams while interactive ones wait, too; 0 to below 1, asked each time */
    public Turns(DoubleSupplier batchShare) {
        batch = new BatchShare(batchShare);
    }

    private FairShares of(Priority priority) {
        return switch (priority) {
            case INTERACTIVE -> ofInteractive;
            case BATCH -> ofBatch;
        };
    }

    /** One more stream of a party runs or waits. */
    public void join(Standing standing) {
        of(standing.priority()).join(standing.party());
    }

    /** One less does. */
    public void leave(Standing standing) {
        of(standing.priority()).leave(standing.party());
    }

    /** Whose turn it is within a priority, of those that the test says; null if there are none. */
    public @Nullable Party next(Priority priority, Predicate<Party> eligible) {
        return of(priority).next(eligible);
    }

    /**
     * A stream was served while others waited.
     *
     * @param tokens of its prompt that it is the first to need, or that it has made
     * @param otherWaits whether a stream of the other priority waits that could have its slot
     */
    public void charge(Standing standing, long tokens, boolean otherWaits) {
        anyCharge = true;
        of(standing.priority()).charge(standing.party(), tokens);
        if (otherWaits && standing.priority() == Priority.BATCH) {
            batch.batchServed(tokens);
        } else if (otherWaits) {
            batch.interactiveServed(tokens);
        }
    }

    /** Whether a batch stream comes before interactive ones. */
    public boolean batchIsOwed() {
        return batch.isOwed();
    }

    /** No batch stream waits. */
    public void noBatchWaits() {
        batch.nobodyWaits();
    }

    /** Nobody waits: what was served until now was taken from nobody. */
    public void nobodyWaits() {
        if (anyCharge) {
            anyCharge = false;
            ofInteractive.forgive();
            ofBatch.forgive();
            batch.forgive();
        }
    }
}

package dev.tidestream.server.scheduler.fair;

import dev.tidestream.protocol.options.Priority;

/**
 * Where a stream stands among others: whose it is, how urgent, how old. A batch stream that got its slot though interactive ones
 * waited stands among these until it has made some tokens, so that it does not lose the slot before it had any use of it.
 */
public final class Standing {
    /** Tokens that a batch stream may make of a slot that it got by its share. */
    public static final int GRANTED_TOKENS = 64;

    /** Tokens that any stream may make of a slot while others wait that have none. */
    public static final int SLOT_TOKENS = 128;

    private final Party party;
    private final Priority priority;
    private final long arrival;
    private int grantedUntil; // tokens that it has in all; below, it does not give way
    private int slotFrom; // tokens that it had when it got its slot

    /** @param arrival rises from one stream to the next */
    public Standing(Party party, Priority priority, long arrival) {
        this.party = party;
        this.priority = priority;
        this.arrival = arrival;
    }

    /** Whose it is. */
    public Party party() {
        return party;
    }

    /** As its client said. */
    public Priority priority() {
        return priority;
    }

    /** Rises from one stream to the next. */
    public long arrival() {
        return arrival;
    }

    /**
     * It gets a slot.
     *
     * @param tokens that it has
     * @param byShare whether it has it by the share of batch streams, though interactive ones wait
     */
    public void slot(int tokens, boolean byShare) {
        slotFrom = tokens;
        if (byShare) {
            grantedUntil = tokens + GRANTED_TOKENS;
        }
    }

    /** Whether it has had its turn at a slot, with so many tokens. */
    public boolean hadSlot(int tokens) {
        return tokens - slotFrom >= SLOT_TOKENS;
    }

    /** Whether it gives its slot to an interactive stream that waits, with so many tokens. */
    public boolean givesWay(int tokens) {
        return priority == Priority.BATCH && tokens >= grantedUntil;
    }
}

package dev.tidestream.server.scheduler;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.kv.KvCachePool;

/**
 * Who has a slot. Sequences with demand get them; one without gives its slot back at once, and waits in the {@link Parking}. If
 * all have demand, an account that has no slot gets one of the account with most, within an account a connection likewise, and an
 * interactive sequence gets that of a batch stream ({@link Slots#yieldsTo}); the sequence that yields waits with its KV blocks.
 * Others wait for a slot to become free, and get it in turn ({@link AdmissionQueue}): that costs the tokens that it is the first
 * to need, and each that it makes while others wait.
 *
 * <p>A slot is for whom there are KV blocks for all tokens that it has ({@link KvLending#admits}). <b>A large request is not
 * starved:</b> while the next in turn waits for blocks, nobody else is given any; those that have all they need pass it.
 */
final class Admission {
    private final SchedulerConfig.Live limits;
    private final KvCachePool pool;
    private final AdmissionQueue queue;
    private final Slots slots;
    private final KvLending lending;
    private final Map<Slots.Claim, Optional<Sequence>> yielding = new HashMap<>(); // as long as no slot changes hands
    private long slotsGivenBack;

    Admission(SchedulerConfig.Live limits, KvCachePool pool, AdmissionQueue queue, Slots slots, KvLending lending) {
        this.limits = limits;
        this.pool = pool;
        this.queue = queue;
        this.slots = slots;
        this.lending = lending;
    }

    /** How often a sequence yielded its slot to another. */
    long slotsGivenBack() {
        return slotsGivenBack;
    }

    /** Gives slots to all that can have one. */
    void admit(long nowNs) {
        boolean holdersOnly = false;
        for (Sequence next = next(holdersOnly); next != null; next = next(holdersOnly)) {
            if (lending.admits(next)) {
                admit(next, nowNs);
            } else {
                holdersOnly = true;
            }
        }
        yielding.clear(); // it keeps nobody who has ended
    }

    private @Nullable Sequence next(boolean holdersOnly) {
        yielding.clear();
        return queue.next(this::mayHaveSlot, sequence -> !holdersOnly || sequence.missingBlocks(pool) == 0);
    }

    private void admit(Sequence next, long nowNs) {
        yielding.clear();
        Sequence leaving = leavesFor(next.standing().party(), next.standing().priority());
        if (leaving != null) {
            givesSlotBack(leaving);
        }
        boolean byShare = queue.byShare(next);
        slots.add(next); // first, so that its party is never without a stream
        queue.removeForSlot(next);
        charge(next, Math.max(1, next.newRows(pool)));
        next.admit(pool, byShare, nowNs);
    }

    /** A sequence with a slot was served, or is about to be. Who waits for a slot of its own connection waits for no other's. */
    void charge(Sequence sequence, long served) {
        Object connection = sequence.standing().party().connection();
        queue.charge(sequence, served, party -> mayHaveMore(party) || party.connection().equals(connection));
    }

    private void givesSlotBack(Sequence leaving) {
        queue.add(leaving);
        slots.remove(leaving);
        slotsGivenBack++;
    }

    private boolean hasFreeSlot(Party party) {
        return slots.size() < limits.now().maxSequences() && mayHaveMore(party);
    }

    private boolean mayHaveMore(Party party) {
        return slots.of(party.connection()) < limits.now().maxSequencesPerConnection();
    }

    private boolean mayHaveSlot(Party party, Priority priority) {
        return hasFreeSlot(party) || leavesFor(party, priority) != null;
    }

    /** Whose slot a party gets; null if it needs none, or gets none. */
    private @Nullable Sequence leavesFor(Party party, Priority priority) {
        if (hasFreeSlot(party)) {
            return null;
        }
        if (mayHaveMore(party)) {
            return yielding.computeIfAbsent(slots.claim(party, priority), claim -> Optional.ofNullable(slots.yieldsTo(claim)))
                    .orElse(null);
        }
        return priority == Priority.BATCH ? null
                : slots.givesWay(batch -> batch.standing().party().connection().equals(party.connection()));
    }
}

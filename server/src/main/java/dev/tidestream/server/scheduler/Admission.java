package dev.tidestream.server.scheduler;

import dev.tidestream.server.scheduler.kv.KvCachePool;

/**
 * Who has a slot. Sequences with demand get them; one without gives its slot back at once, and waits in the {@link Parking}. If
 * all have demand, a connection that has no slot gets one of the connection with most; the sequence that yields waits with its KV
 * blocks. Others wait for a slot to become free, and the connection with fewest gets it.
 *
 * <p>A slot is for whom there are KV blocks for all tokens that it has ({@link KvLending#admits}). <b>A large request is not
 * starved:</b> while the next in turn waits for blocks, nobody else is given any; those that have all they need pass it.
 */
final class Admission {
    private final SchedulerConfig config;
    private final KvCachePool pool;
    private final AdmissionQueue queue;
    private final Slots slots;
    private final KvLending lending;
    private long slotsGivenBack;

    Admission(SchedulerConfig config, KvCachePool pool, AdmissionQueue queue, Slots slots, KvLending lending) {
        this.config = config;
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
        while (true) {
            boolean blocked = holdersOnly;
            Sequence next = queue.next(slots::of, this::mayHaveMore, sequence -> !blocked || sequence.missingBlocks(pool) == 0);
            if (next == null) {
                return;
            }
            Sequence leaving = slotIsFree(next) ? null : slots.yieldsTo(next.connection());
            if (leaving == null && !slotIsFree(next)) {
                return; // whoever comes after it has as many slots, or more
            }
            if (!lending.admits(next)) {
                holdersOnly = true;
                continue;
            }
            queue.removeForSlot(next);
            if (leaving != null) {
                slots.remove(leaving);
                slotsGivenBack++;
                queue.add(leaving);
            }
            slots.add(next);
            next.admit(pool, nowNs);
        }
    }

    private boolean mayHaveMore(Object connection) {
        return slots.of(connection) < config.maxSequencesPerConnection();
    }

    private boolean slotIsFree(Sequence next) {
        return slots.size() < config.maxSequences() && mayHaveMore(next.connection());
    }
}

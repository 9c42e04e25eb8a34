package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.transformer.KvCache;

/**
 * Who has a slot and KV blocks. Sequences with demand get them; those without keep what they have until somebody needs it:
 * <ul>
 *   <li><b>A slot</b> that is missing is taken from the sequence that has been without demand longest. If all have demand, a
 *       connection that has no slot gets one of the connection with most; the sequence that yields waits with its KV blocks. Others wait
 *       for a slot to become free, and the connection with fewest gets it.
 *   <li><b>KV blocks</b> that are missing are taken from sequences without demand, the longest stalled first, as many as needed and
 *       none if all of them are not enough. Blocks of a sequence with demand are never taken, so every admission leads to a token.
 *   <li><b>A large request is not starved.</b> While the next in turn waits for blocks, nobody else is given any; those that still hold
 *       theirs pass it, since they need none.
 * </ul>
 */
final class Admission {
    private static final Logger log = LoggerFactory.getLogger(Admission.class);

    private final SchedulerConfig config;
    private final KvCachePool pool;
    private final AdmissionQueue queue;
    private final Slots slots;
    private final Parking parking;
    private long slotsGivenBack;
    private long blocksTaken;

    Admission(SchedulerConfig config, KvCachePool pool, AdmissionQueue queue, Slots slots, Parking parking) {
        this.config = config;
        this.pool = pool;
        this.queue = queue;
        this.slots = slots;
        this.parking = parking;
    }

    /** How often a sequence lost its slot to another. */
    long slotsGivenBack() {
        return slotsGivenBack;
    }

    /** How often a sequence lost its KV blocks to another. */
    long blocksTaken() {
        return blocksTaken;
    }

    /**
     * Gives slots to all that can have one.
     *
     * @param failed is given a sequence that could not be admitted for a fault
     */
    void admit(long nowNs, Consumer<Sequence> failed) {
        boolean holdersOnly = false;
        while (true) {
            Sequence next = queue.next(slots::of, this::mayHaveMore, holdersOnly);
            if (next == null) {
                return;
            }
            Sequence leaving = slotIsFree(next) ? null : leavesFor(next);
            if (leaving == null && !slotIsFree(next)) {
                return; // whoever comes after it has as many slots, or more
            }
            int missing = next.holdsBlocks() ? 0 : pool.missingBlocks(next.positions());
            List<Sequence> donors = donors(missing);
            if (donors.stream().mapToInt(Sequence::blocks).sum() < missing) {
                holdersOnly = true;
                continue;
            }
            queue.removeForSlot(next);
            if (leaving != null) {
                vacate(leaving);
            }
            donors.forEach(this::takeBlocks);
            try {
                if (!next.holdsBlocks()) {
                    next.receive(reserve(next.positions()));
                }
                slots.add(next);
                next.admit(nowNs);
            } catch (RuntimeException | OutOfMemoryError e) {
                log.error("no KV cache for a sequence: stream={}, positions={}", next.stream(), next.positions(), e);
                failed.accept(next);
            }
        }
    }

    private boolean atItsLimit(Object connection) {
        return slots.of(connection) >= config.maxSequencesPerConnection();
    }

    private boolean mayHaveMore(Object connection) {
        return !atItsLimit(connection) || slots.longestStalledOf(connection) != null;
    }

    private boolean slotIsFree(Sequence next) {
        return slots.size() < config.maxSequences() && !atItsLimit(next.connection());
    }

    private @Nullable Sequence leavesFor(Sequence next) {
        if (atItsLimit(next.connection())) {
            return slots.longestStalledOf(next.connection());
        }
        Sequence stalled = slots.longestStalled();
        return stalled == null ? slots.yieldsTo(next.connection()) : stalled;
    }

    private void vacate(Sequence sequence) {
        slots.remove(sequence);
        slotsGivenBack++;
        if (sequence.stalled()) {
            parking.add(sequence);
        } else {
            queue.add(sequence);
        }
    }

    /** Sequences without demand that hold so many KV blocks together, the longest stalled first; all there are if these are not enough. */
    private List<Sequence> donors(int missingBlocks) {
        if (missingBlocks == 0) {
            return List.of();
        }
        List<Sequence> holders = new ArrayList<>(slots.all());
        holders.addAll(parking.all());
        holders.removeIf(sequence -> !(sequence.holdsBlocks() && sequence.stalled()));
        holders.sort(Comparator.comparingLong(Sequence::stalledSinceNs));
        int enough = 0;
        for (int blocks = 0; enough < holders.size() && blocks < missingBlocks; enough++) {
            blocks += holders.get(enough).blocks();
        }
        return holders.subList(0, enough);
    }

    private void takeBlocks(Sequence donor) {
        if (slots.all().contains(donor)) {
            vacate(donor);
        }
        donor.giveBackBlocks(pool);
        blocksTaken++;
    }

    private KvCache reserve(int positions) {
        return switch (pool.reserve(positions)) {
            case KvReservation.Granted granted -> granted.cache();
            case KvReservation.NotNow notNow -> throw new IllegalStateException(
                    "KV blocks are missing: needed=%d, free=%d".formatted(notNow.neededBlocks(), notNow.freeBlocks()));
            case KvReservation.NeverFits never -> throw new IllegalStateException("KV cache can never hold the request: " + never);
        };
    }
}

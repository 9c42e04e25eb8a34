package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.LentCache;

/**
 * Whose KV blocks go to whom. A sequence gets them as it reaches their positions. When none is left, others give all of theirs
 * back, to be computed anew later:
 * <ol>
 *   <li>those without demand, the longest stalled first;
 *   <li>for one that runs also those that wait for a slot, the youngest first, since they cannot use them;
 *   <li>and the youngest that runs, if it is younger: it waits for a slot, and gets one when there are blocks for all tokens it
 *       has.
 * </ol>
 * A batch stream counts as younger than all interactive ones, but while it uses what its share has given it ({@link Sequence#givesWay}).
 * If there is none of these, it waits with what it has. So the oldest that runs always can run to its end: it takes what it needs
 * from all others, nobody takes it back, and alone it fits, or it would have been refused.
 */
final class KvLending {
    private static final Logger log = LoggerFactory.getLogger(KvLending.class);

    /** The first has the best claim. */
    private static final Comparator<Sequence> SENIORITY =
            Comparator.comparing(Sequence::givesWay).thenComparingLong(sequence -> sequence.standing().arrival());

    private final KvCachePool pool;
    private final AdmissionQueue queue;
    private final Slots slots;
    private final Parking parking;
    private final List<Sequence> without = new ArrayList<>(); // room for the next position; of one step
    private long blocksTaken;
    private long preemptions;

    KvLending(KvCachePool pool, AdmissionQueue queue, Slots slots, Parking parking) {
        this.pool = pool;
        this.queue = queue;
        this.slots = slots;
        this.parking = parking;
    }

    /** How often a sequence lost its KV blocks to another. */
    long blocksTaken() {
        return blocksTaken;
    }

    /** How often one of these had a slot, and lost that, too. */
    long preemptions() {
        return preemptions;
    }

    /**
     * Takes blocks from sequences without demand until there are enough for all tokens that a sequence has, beside what those
     * that run need for theirs. If nobody runs, those that wait give, too.
     *
     * @return false if there are not enough; then nobody has lost any
     */
    boolean admits(Sequence next) {
        int missing = next.missingBlocks(pool);
        if (missing == 0) {
            return true; // so that nobody who has all blocks waits for somebody who wants them
        }
        for (Sequence sequence : slots.all()) {
            missing += sequence.missingBlocks(pool);
        }
        missing -= pool.available();
        if (missing > 0) {
            missing -= next.blocksOfOthers(pool);
        }
        List<Sequence> donors = new ArrayList<>();
        List<LentCache> given = new ArrayList<>();
        for (Sequence holder : holders(next)) {
            LentCache lent = holder.lent();
            if (lent == null || next.returnedBy(given, pool) >= missing) {
                break;
            }
            donors.add(holder);
            given.add(lent);
        }
        if (next.returnedBy(given, pool) < missing) {
            return false;
        }
        donors.forEach(this::take);
        return true;
    }

    private List<Sequence> holders(Sequence next) {
        List<Sequence> holders = new ArrayList<>(stalledHolders());
        boolean interactive = next.standing().priority() == Priority.INTERACTIVE;
        List<Sequence> waiting = new ArrayList<>();
        queue.forEach(sequence -> {
            if (sequence != next && sequence.blocks() > 0 && (slots.size() == 0 || (interactive && sequence.givesWay()))) {
                waiting.add(sequence);
            }
        });
        waiting.sort(SENIORITY.reversed());
        holders.addAll(waiting);
        if (interactive && !slots.batchIsOwed()) {
            slots.all().stream().filter(Sequence::givesWay).sorted(SENIORITY.reversed()).forEach(holders::add);
        }
        return holders;
    }

    private List<Sequence> stalledHolders() {
        List<Sequence> stalled = new ArrayList<>();
        for (Sequence sequence : parking.all()) {
            if (sequence.blocks() > 0 && sequence.stalled()) {
                stalled.add(sequence);
            }
        }
        stalled.sort(Comparator.comparingLong(Sequence::stalledSinceNs));
        return stalled;
    }

    /**
     * Before a step: what others have computed of a prompt is taken from there, and every sequence with a slot and demand gets
     * room for its next position, the oldest first. Who gets none has no row in the step.
     *
     * @return those that got no memory from the system, for the caller to fail
     */
    List<Sequence> prepareStep() {
        without.clear();
        for (Sequence sequence : slots.all()) {
            if (sequence.hasDemand()) {
                sequence.reusePrefix(pool);
                if (sequence.room() == 0) {
                    without.add(sequence);
                }
            }
        }
        if (without.size() > 1) {
            without.sort(SENIORITY);
        }
        without.removeIf(this::hasRoomNow);
        return without;
    }

    /** Makes room as far as others have blocks to give; false if the system has none. */
    private boolean hasRoomNow(Sequence sequence) {
        try {
            makeRoom(sequence);
            return true;
        } catch (RuntimeException | OutOfMemoryError e) {
            log.error("no KV memory for a sequence: stream={}, blocks={}", sequence.stream(), sequence.blocks(), e);
            return false;
        }
    }

    private void makeRoom(Sequence sequence) {
        while (sequence.lent() != null && !sequence.makeRoom(pool, 1)) { // null: an older one has taken its blocks, and its slot
            Sequence donor = donor(sequence);
            if (donor == null) {
                return;
            }
            take(donor);
        }
    }

    private @Nullable Sequence donor(Sequence needs) {
        List<Sequence> stalled = stalledHolders();
        if (!stalled.isEmpty()) {
            return stalled.getFirst();
        }
        Youngest youngest = new Youngest();
        queue.forEach(youngest);
        if (youngest.found == null) {
            for (Sequence sequence : slots.all()) {
                if (SENIORITY.compare(sequence, needs) > 0) {
                    youngest.accept(sequence);
                }
            }
        }
        return youngest.found;
    }

    /**
     * Of those that have blocks. One with blocks that nobody shares comes before one without: what only several have together
     * comes back once the last of them gives it, so all of them are asked in the end.
     */
    private final class Youngest implements Consumer<Sequence> {
        private @Nullable Sequence found;
        private boolean givesAny;

        @Override
        public void accept(Sequence sequence) {
            LentCache lent = sequence.lent();
            if (lent == null || lent.blocks() == 0) {
                return;
            }
            boolean gives = pool.returnedBy(List.of(lent)) > 0;
            if (found == null || (gives == givesAny ? SENIORITY.compare(sequence, found) > 0 : gives)) {
                found = sequence;
                givesAny = gives;
            }
        }
    }

    private void take(Sequence donor) {
        donor.giveBackBlocks(pool);
        blocksTaken++;
        if (slots.has(donor)) {
            queue.add(donor); // first, so that its party is never without a stream
            slots.remove(donor);
            preemptions++;
        }
    }

    /**
     * Rows that a prompt can have, of those that a step has for it: blocks for them are taken from those without demand, but from
     * nobody else.
     */
    int extend(Sequence prompt, int rows) {
        try {
            while (prompt.room() < rows && !prompt.makeRoom(pool, rows)) {
                List<Sequence> stalled = stalledHolders();
                if (stalled.isEmpty()) {
                    break;
                }
                take(stalled.getFirst());
            }
        } catch (OutOfMemoryError e) {
            log.warn("the system has less memory than the KV cache was promised: stream={}", prompt.stream(), e);
        }
        return Math.min(rows, prompt.room());
    }
}

package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/** The sequences that have a slot, in order of admission, and what each connection has of them. */
final class Slots {

    /** A connection with slots. */
    private static final class Holder {
        int slots;
        long lastTurn; // rises; when its last prompt was done, or it got its first slot
    }

    private final List<Sequence> running = new ArrayList<>();
    private final Map<Object, Holder> holders = new HashMap<>();
    private long turns;

    void add(Sequence sequence) {
        running.add(sequence);
        holders.computeIfAbsent(sequence.connection(), c -> newHolder()).slots++;
    }

    private Holder newHolder() {
        Holder holder = new Holder();
        holder.lastTurn = ++turns;
        return holder;
    }

    /** Takes a sequence out; nothing happens if it has no slot. */
    void remove(Sequence sequence) {
        if (running.remove(sequence)) {
            uncount(sequence);
        }
    }

    /** Takes out those that the test says; it may add to other collections, not to this one. */
    void sweep(Predicate<Sequence> leaves) {
        for (Iterator<Sequence> sequences = running.iterator(); sequences.hasNext(); ) {
            Sequence sequence = sequences.next();
            if (leaves.test(sequence)) {
                sequences.remove();
                uncount(sequence);
            }
        }
    }

    private void uncount(Sequence sequence) {
        holders.computeIfPresent(sequence.connection(), (connection, holder) -> --holder.slots == 0 ? null : holder);
    }

    void clear() {
        running.clear();
        holders.clear();
    }

    /** All of them, in order of admission; a view. */
    List<Sequence> all() {
        return Collections.unmodifiableList(running);
    }

    int size() {
        return running.size();
    }

    /** Slots that a connection has. */
    int of(Object connection) {
        Holder holder = holders.get(connection);
        return holder == null ? 0 : holder.slots;
    }

    /** A prompt of this connection is done: the prompts of all others come before its next one. */
    void promptDone(Object connection) {
        Holder holder = holders.get(connection);
        if (holder != null) {
            holder.lastTurn = ++turns;
        }
    }

    /** When the last prompt of a connection was done; less is longer ago. */
    long lastTurn(Object connection) {
        Holder holder = holders.get(connection);
        return holder == null ? 0 : holder.lastTurn;
    }

    /** Whether a sequence has one. */
    boolean has(Sequence sequence) {
        return running.contains(sequence);
    }

    /**
     * Who yields to a connection that has no slot: of the connection with most slots, the sequence that came last, and so never
     * the oldest there is. Null if the connection has one, or no other has two.
     */
    @Nullable Sequence yieldsTo(Object connection) {
        if (of(connection) > 0) {
            return null;
        }
        int most = 1;
        Sequence yields = null;
        for (Sequence sequence : running) {
            int slots = of(sequence.connection());
            if (slots > most || (yields != null && slots == most && sequence.arrival() > yields.arrival())) {
                most = slots;
                yields = sequence;
            }
        }
        return yields;
    }
}

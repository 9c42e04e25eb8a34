package dev.tidestream.server.scheduler;

import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/**
 * Sequences without demand that have no slot: those that gave it back, and those that never had demand for one. They keep all that makes
 * their next token what it would have been; their KV blocks they keep until somebody waits for them.
 *
 * <p>Bounded in number and bytes. Past a bound a connection pays for itself: the one that holds most loses the sequence that has been
 * without demand longest.
 */
final class Parking {
    private final SchedulerConfig.Live limits;
    private final Set<Sequence> parked = new LinkedHashSet<>();
    private final Map<Object, Holding> holdings = new HashMap<>();
    private long bytes;

    /** What one connection has here. */
    private static final class Holding {
        int sequences;
        long bytes;
    }

    Parking(SchedulerConfig.Live limits) {
        this.limits = limits;
    }

    void add(Sequence sequence) {
        if (parked.add(sequence)) {
            count(sequence, 1);
        }
    }

    /** Takes out those that the test says; it may add to other collections, not to this one. */
    void sweep(Predicate<Sequence> leaves) {
        for (Iterator<Sequence> sequences = parked.iterator(); sequences.hasNext(); ) {
            Sequence sequence = sequences.next();
            if (leaves.test(sequence)) {
                sequences.remove();
                count(sequence, -1);
            }
        }
    }

    void clear() {
        parked.clear();
        holdings.clear();
        bytes = 0;
    }

    private void count(Sequence sequence, int sign) {
        Holding holding = holdings.computeIfAbsent(sequence.standing().party().connection(), c -> new Holding());
        holding.sequences += sign;
        holding.bytes += sign * sequence.heldBytes();
        bytes += sign * sequence.heldBytes();
        if (holding.sequences == 0) {
            holdings.remove(sequence.standing().party().connection());
        }
    }

    /** All of them; a view. */
    Set<Sequence> all() {
        return Collections.unmodifiableSet(parked);
    }

    int size() {
        return parked.size();
    }

    boolean isEmpty() {
        return parked.isEmpty();
    }

    /** What they hold, KV blocks apart. */
    long bytes() {
        return bytes;
    }

    /** Why one more sequence of a connection cannot be taken, since it may cost it one: null if it can. */
    @Nullable String full(Object connection) {
        return isFullOf(connection)
                ? "too many streams without credit: parked=%d, limit=%d, parked_bytes=%d, limit_bytes=%d"
                        .formatted(parked.size(), limits.stalled().maxParked(), bytes, limits.stalled().maxBytes())
                : null;
    }

    /** Whether it is full, and no connection holds more than this one, so that one more sequence would cost it one. */
    private boolean isFullOf(Object connection) {
        boolean tooMany = parked.size() >= limits.stalled().maxParked();
        if (!tooMany && bytes < limits.stalled().maxBytes()) {
            return false;
        }
        Comparator<Holding> order = tooMany ? Comparator.comparingInt(h -> h.sequences) : Comparator.comparingLong(h -> h.bytes);
        Holding own = holdings.get(connection);
        return own != null && holdings.values().stream().noneMatch(other -> order.compare(other, own) > 0);
    }

    /** Takes out the sequence that has to go because there are too many or they hold too much; null if they are within the limits. */
    @Nullable Sequence overflow() {
        boolean tooMany = parked.size() > limits.stalled().maxParked();
        if (!tooMany && bytes <= limits.stalled().maxBytes()) {
            return null;
        }
        Comparator<Holding> order = tooMany ? Comparator.comparingInt(h -> h.sequences) : Comparator.comparingLong(h -> h.bytes);
        Object most = Collections.max(holdings.entrySet(), Map.Entry.comparingByValue(order)).getKey();
        Sequence longest = Collections.min(
                parked.stream().filter(s -> s.standing().party().connection().equals(most)).toList(),
                Comparator.comparingLong(Sequence::stalledSinceNs));
        parked.remove(longest);
        count(longest, -1);
        return longest;
    }
}

package dev.tidestream.server.scheduler;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

import org.jspecify.annotations.Nullable;

/**
 * Sequences with demand that wait for a slot. Within a connection they come in order of arrival, also if they had a slot before. Of the
 * connections, that with the fewest slots comes first, and of equals the one whose last turn is longest ago: one that queues many
 * sequences delays the only one of another by one admission.
 */
final class AdmissionQueue {
    private final Map<Object, TreeMap<Long, Sequence>> byConnection = new LinkedHashMap<>(); // longest without a turn first
    private int size;
    private long bytes;

    void add(Sequence sequence) {
        byConnection.computeIfAbsent(sequence.connection(), c -> new TreeMap<>()).put(sequence.arrival(), sequence);
        count(sequence, 1);
    }

    /**
     * Why one more sequence of its connection cannot wait; null if it can.
     *
     * @param stopping sequences that have ended but for their last event: they count as waiting
     * @param running for the message
     */
    @Nullable String full(Sequence sequence, QueueLimits limits, int stopping, int running) {
        boolean hasSome = byConnection.containsKey(sequence.connection());
        int queued = size + stopping;
        if (queued >= limits.maxQueued(hasSome)) {
            return "waiting queue is full: queued=%d, limit=%d, running=%d".formatted(queued, limits.maxQueued(hasSome), running);
        }
        if (bytes + sequence.heldBytes() > limits.maxBytes(hasSome)) {
            return "waiting queue is full: queued_bytes=%d, bytes=%d, limit=%d"
                    .formatted(bytes, sequence.heldBytes(), limits.maxBytes(hasSome));
        }
        return null;
    }

    /** Takes out a sequence that has its turn. */
    void removeForSlot(Sequence sequence) {
        TreeMap<Long, Sequence> others = byConnection.remove(sequence.connection());
        if (others == null || others.remove(sequence.arrival()) == null) {
            throw new IllegalStateException("sequence does not wait: stream=" + sequence.stream());
        }
        if (!others.isEmpty()) {
            byConnection.put(sequence.connection(), others); // behind the other connections
        }
        count(sequence, -1);
    }

    /** Takes out those that the test says; it may add to other collections, not to this one. */
    void sweep(Predicate<Sequence> leaves) {
        for (Iterator<TreeMap<Long, Sequence>> connections = byConnection.values().iterator(); connections.hasNext(); ) {
            TreeMap<Long, Sequence> ofOne = connections.next();
            for (Iterator<Sequence> sequences = ofOne.values().iterator(); sequences.hasNext(); ) {
                Sequence sequence = sequences.next();
                if (leaves.test(sequence)) {
                    sequences.remove();
                    count(sequence, -1);
                }
            }
            if (ofOne.isEmpty()) {
                connections.remove();
            }
        }
    }

    private void count(Sequence sequence, int sign) {
        size += sign;
        bytes += sign * sequence.heldBytes();
    }

    /**
     * Whose turn it is.
     *
     * @param slots how many a connection has
     * @param eligible whether a connection may have one more
     * @param which sequences count
     * @return null if there is none
     */
    @Nullable Sequence next(ToIntFunction<Object> slots, Predicate<Object> eligible, Predicate<Sequence> which) {
        Sequence next = null;
        int fewest = Integer.MAX_VALUE;
        for (Map.Entry<Object, TreeMap<Long, Sequence>> entry : byConnection.entrySet()) {
            int has = slots.applyAsInt(entry.getKey());
            if (has < fewest && eligible.test(entry.getKey())) {
                Sequence first = first(entry.getValue(), which);
                next = first == null ? next : first;
                fewest = first == null ? fewest : has;
            }
        }
        return next;
    }

    private static @Nullable Sequence first(Map<Long, Sequence> ofOne, Predicate<Sequence> which) {
        for (Sequence sequence : ofOne.values()) {
            if (which.test(sequence)) {
                return sequence;
            }
        }
        return null;
    }

    /** Shows all of them. */
    void forEach(Consumer<Sequence> reader) {
        byConnection.values().forEach(ofOne -> ofOne.values().forEach(reader));
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** What they hold, KV blocks apart. */
    long bytes() {
        return bytes;
    }
}

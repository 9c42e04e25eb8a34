package dev.tidestream.server.scheduler;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.fair.Turns;

/**
 * Sequences with demand that wait for a slot. Within a connection they come in order of arrival, also if they had a slot before. Whose
 * turn it is of the connections, their accounts and the priorities is said by {@link Turns}: one that queues many sequences delays
 * the only one of another by one admission.
 */
final class AdmissionQueue {
    private final Turns turns;
    private final Waiting interactive = new Waiting();
    private final Waiting batch = new Waiting();
    private final Map<Object, Integer> ofAccount = new HashMap<>(); // sequences
    private long bytes;
    private long tokens;

    /** Those of a priority, within a party by arrival. */
    private static final class Waiting {
        final Map<Party, TreeMap<Long, Sequence>> byParty = new HashMap<>();
        int size;
    }

    /** @param turns is told who waits, and what that costs */
    AdmissionQueue(Turns turns) {
        this.turns = turns;
    }

    private Waiting of(Priority priority) {
        return switch (priority) {
            case INTERACTIVE -> interactive;
            case BATCH -> batch;
        };
    }

    void add(Sequence sequence) {
        Waiting same = of(sequence.standing().priority());
        same.byParty.computeIfAbsent(sequence.standing().party(), p -> new TreeMap<>()).put(sequence.standing().arrival(), sequence);
        turns.join(sequence.standing());
        count(sequence, 1);
    }

    /**
     * Why one more sequence of its account cannot wait; null if it can.
     *
     * @param stopping sequences that have ended but for their last event: they count as waiting
     * @param running for the message
     */
    @Nullable String full(Sequence sequence, QueueLimits limits, int stopping, int running) {
        boolean hasSome = ofAccount.containsKey(sequence.standing().party().account());
        int queued = size() + stopping;
        if (queued >= limits.maxQueued(hasSome)) {
            return "waiting queue is full: queued=%d, limit=%d, running=%d".formatted(queued, limits.maxQueued(hasSome), running);
        }
        if (bytes + sequence.heldBytes() > limits.maxBytes(hasSome)) {
            return "waiting queue is full: queued_bytes=%d, bytes=%d, limit=%d"
                    .formatted(bytes, sequence.heldBytes(), limits.maxBytes(hasSome));
        }
        if (tokens > 0 && tokens + sequence.request().prompt().length > limits.maxTokens(hasSome)) {
            return "waiting queue is full: queued_tokens=%d, prompt_tokens=%d, limit=%d"
                    .formatted(tokens, sequence.request().prompt().length, limits.maxTokens(hasSome));
        }
        return null;
    }

    /** Takes out a sequence that has its turn; its party stays in the round, if it has a slot now. */
    void removeForSlot(Sequence sequence) {
        Waiting same = of(sequence.standing().priority());
        TreeMap<Long, Sequence> ofOne = same.byParty.get(sequence.standing().party());
        if (ofOne == null || ofOne.remove(sequence.standing().arrival()) == null) {
            throw new IllegalStateException("sequence does not wait: stream=" + sequence.stream());
        }
        if (ofOne.isEmpty()) {
            same.byParty.remove(sequence.standing().party());
        }
        gone(sequence);
    }

    private void gone(Sequence sequence) {
        count(sequence, -1);
        turns.leave(sequence.standing());
        if (batch.size == 0) {
            turns.noBatchWaits();
        }
        if (isEmpty()) {
            turns.nobodyWaits();
        }
    }

    /** Takes out those that the test says; it may add to other collections, not to this one. */
    void sweep(Predicate<Sequence> leaves) {
        sweep(interactive, leaves);
        sweep(batch, leaves);
    }

    private void sweep(Waiting same, Predicate<Sequence> leaves) {
        for (Iterator<TreeMap<Long, Sequence>> parties = same.byParty.values().iterator(); parties.hasNext(); ) {
            TreeMap<Long, Sequence> ofOne = parties.next();
            for (Iterator<Sequence> sequences = ofOne.values().iterator(); sequences.hasNext(); ) {
                Sequence sequence = sequences.next();
                if (leaves.test(sequence)) {
                    sequences.remove();
                    gone(sequence);
                }
            }
            if (ofOne.isEmpty()) {
                parties.remove();
            }
        }
    }

    private void count(Sequence sequence, int sign) {
        of(sequence.standing().priority()).size += sign;
        bytes += sign * sequence.heldBytes();
        tokens += (long) sign * sequence.request().prompt().length;
        ofAccount.merge(sequence.standing().party().account(), sign, (had, more) -> had + more == 0 ? null : had + more);
    }

    /**
     * Whose turn it is.
     *
     * @param eligible whether a party may have a slot for a sequence of that priority
     * @param which sequences count
     * @return null if there is none
     */
    @Nullable Sequence next(BiPredicate<Party, Priority> eligible, Predicate<Sequence> which) {
        Sequence owed = turns.batchIsOwed() ? next(Priority.BATCH, eligible, which) : null;
        Sequence next = owed == null ? next(Priority.INTERACTIVE, eligible, which) : owed;
        return next == null ? next(Priority.BATCH, eligible, which) : next;
    }

    private @Nullable Sequence next(Priority priority, BiPredicate<Party, Priority> eligible, Predicate<Sequence> which) {
        Waiting same = of(priority);
        if (same.size == 0) {
            return null;
        }
        Party party = turns.next(priority, candidate -> first(same, candidate, which) != null && eligible.test(candidate, priority));
        return party == null ? null : first(same, party, which);
    }

    private static @Nullable Sequence first(Waiting same, Party party, Predicate<Sequence> which) {
        TreeMap<Long, Sequence> ofOne = same.byParty.get(party);
        if (ofOne != null) {
            for (Sequence sequence : ofOne.values()) {
                if (which.test(sequence)) {
                    return sequence;
                }
            }
        }
        return null;
    }

    /**
     * A sequence was served, which counts if others wait.
     *
     * @param couldHaveIts whether a party that waits could have the slot of that sequence: only then one priority takes from the other
     */
    void charge(Sequence sequence, long served, Predicate<Party> couldHaveIts) {
        if (!isEmpty()) {
            Waiting others = sequence.standing().priority() == Priority.BATCH ? interactive : batch;
            turns.charge(sequence.standing(), served, others.byParty.keySet().stream().anyMatch(couldHaveIts));
        }
    }

    /** Whether a batch sequence that has a slot now has it by the share of these, before interactive ones. */
    boolean byShare(Sequence sequence) {
        return sequence.standing().priority() == Priority.BATCH && interactive.size > 0 && turns.batchIsOwed();
    }

    /** Shows all of them. */
    void forEach(Consumer<Sequence> reader) {
        interactive.byParty.values().forEach(ofOne -> ofOne.values().forEach(reader));
        batch.byParty.values().forEach(ofOne -> ofOne.values().forEach(reader));
    }

    int size() {
        return interactive.size + batch.size;
    }

    /** Those of them that are batch streams. */
    int batchSize() {
        return batch.size;
    }

    boolean isEmpty() {
        return size() == 0;
    }

    /** What they hold, KV blocks apart. */
    long bytes() {
        return bytes;
    }

    /** Of their prompts. */
    long tokens() {
        return tokens;
    }
}

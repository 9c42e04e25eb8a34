package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.Priority;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.fair.Turns;

/** The sequences that have a slot, in order of admission, and what each connection and each account has of them. */
final class Slots {
    private static final Comparator<Sequence> BY_ARRIVAL = Comparator.comparingLong(sequence -> sequence.standing().arrival());
    private static final int[] NO_SLOTS = new int[Priority.values().length];

    private final Turns turns;
    private final List<Sequence> running = new ArrayList<>();
    private final Map<Object, int[]> ofConnections = new HashMap<>(); // slots by priority
    private final Map<Object, int[]> ofAccounts = new HashMap<>();

    /** @param turns is told who has a slot */
    Slots(Turns turns) {
        this.turns = turns;
    }

    void add(Sequence sequence) {
        running.add(sequence);
        turns.join(sequence.standing());
        count(sequence, 1);
    }

    /** Takes a sequence out; nothing happens if it has no slot. */
    void remove(Sequence sequence) {
        if (running.remove(sequence)) {
            gone(sequence);
        }
    }

    /** Takes out those that the test says; it may add to other collections, not to this one. */
    void sweep(Predicate<Sequence> leaves) {
        for (Iterator<Sequence> sequences = running.iterator(); sequences.hasNext(); ) {
            Sequence sequence = sequences.next();
            if (leaves.test(sequence)) {
                sequences.remove();
                gone(sequence);
            }
        }
    }

    private void gone(Sequence sequence) {
        turns.leave(sequence.standing());
        count(sequence, -1);
    }

    private void count(Sequence sequence, int sign) {
        Party party = sequence.standing().party();
        count(ofConnections, party.connection(), sequence, sign);
        count(ofAccounts, party.account(), sequence, sign);
    }

    private static void count(Map<Object, int[]> holders, Object key, Sequence sequence, int sign) {
        int[] slots = holders.computeIfAbsent(key, k -> new int[NO_SLOTS.length]);
        slots[slotOf(sequence.standing().priority())] += sign;
        if (all(slots) == 0) {
            holders.remove(key);
        }
    }

    private static int all(int[] slots) {
        int all = 0;
        for (int ofOne : slots) {
            all += ofOne;
        }
        return all;
    }

    void clear() {
        new ArrayList<>(running).forEach(this::remove);
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
        return all(ofConnections.getOrDefault(connection, NO_SLOTS));
    }

    /** Whether a sequence has one. */
    boolean has(Sequence sequence) {
        return running.contains(sequence);
    }

    /**
     * What a party that waits can claim of the slots of others: all that claim the same get the same.
     *
     * @param priority of the sequence that it waits with
     * @param of whose slots, beside those of batch streams
     * @param account whose connections share, if it is {@link Of#ITS_ACCOUNT}; else of no meaning, and null
     */
    record Claim(Priority priority, Of of, @Nullable Object account) {
        /** Whose slots of the same priority. */
        enum Of {
            /** Those of all accounts: its own has none. */
            ALL,
            /** Those of other connections of its account: its own has none. */
            ITS_ACCOUNT,
            /** Nobody's: it has one. */
            NOBODY
        }
    }

    /** What a party can claim with a sequence of some priority. */
    Claim claim(Party party, Priority priority) {
        int same = slotOf(priority);
        if (ofAccounts.getOrDefault(party.account(), NO_SLOTS)[same] == 0) {
            return new Claim(priority, Claim.Of.ALL, null);
        }
        return ofConnections.getOrDefault(party.connection(), NO_SLOTS)[same] == 0
                ? new Claim(priority, Claim.Of.ITS_ACCOUNT, party.account()) : new Claim(priority, Claim.Of.NOBODY, null);
    }

    /**
     * Who yields to a claim; null if nobody does. To an interactive one the batch stream that came last, unless these are owed their
     * share. Else those of the same priority share: to an account without a slot yields the one with most, and within an account a
     * connection likewise, the sequence that came last; if each has one, the sequence that has had it longest, if it made some tokens
     * meanwhile.
     */
    @Nullable Sequence yieldsTo(Claim claim) {
        Sequence batch = claim.priority() == Priority.INTERACTIVE ? givesWay(sequence -> true) : null;
        if (batch != null) {
            return batch;
        }
        return switch (claim.of()) {
            case ALL -> ofMost(claim.priority(), sequence -> true, this::ofAccount);
            case ITS_ACCOUNT -> ofMost(
                    claim.priority(), sequence -> sequence.standing().party().account().equals(claim.account()), this::ofConnection);
            case NOBODY -> null;
        };
    }

    /** Of whoever has most slots, two at least; if nobody has two, the one whose turn began first of those that have had theirs. */
    private @Nullable Sequence ofMost(Priority priority, Predicate<Sequence> which, ToIntFunction<Sequence> slots) {
        List<Sequence> same = running.stream().filter(one -> one.standing().priority() == priority && which.test(one)).toList();
        Comparator<Sequence> most = Comparator.comparingInt(slots).thenComparingInt(this::ofConnection).thenComparing(BY_ARRIVAL);
        return same.stream().filter(one -> slots.applyAsInt(one) > 1).max(most)
                .orElseGet(() -> same.stream().filter(Sequence::hadSlot).findFirst().orElse(null));
    }

    private static int slotOf(Priority priority) {
        return priority == Priority.INTERACTIVE ? 0 : 1;
    }

    private int ofAccount(Sequence sequence) {
        return ofAccounts.getOrDefault(sequence.standing().party().account(), NO_SLOTS)[slotOf(sequence.standing().priority())];
    }

    private int ofConnection(Sequence sequence) {
        return ofConnections.getOrDefault(sequence.standing().party().connection(), NO_SLOTS)[slotOf(sequence.standing().priority())];
    }

    /** Whether batch streams keep their slots though interactive ones wait. */
    boolean batchIsOwed() {
        return turns.batchIsOwed();
    }

    /** The batch stream that gives its slot to an interactive one that waits; null if there is none, or if they are owed their share. */
    @Nullable Sequence givesWay(Predicate<Sequence> which) {
        return turns.batchIsOwed() ? null
                : running.stream().filter(Sequence::givesWay).filter(which).max(BY_ARRIVAL).orElse(null);
    }
}

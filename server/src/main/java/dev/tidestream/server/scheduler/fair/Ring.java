package dev.tidestream.server.scheduler.fair;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/**
 * Deficit round robin (Shreedhar and Varghese, "Efficient fair queueing using deficit round robin", SIGCOMM 1995) for work whose
 * cost is known only once it is done. Members are visited in turn. One with a balance above 0 is served until it has none; what it
 * was served is charged, so that its last item may leave it in debt. One without is paid a quantum, and the next is visited.
 *
 * <p>Be Q the quantum and M the largest charge between two visits. Of two members that want to be served all the time, neither is ever served
 * more than 3Q + 2M tokens more than the other: they are paid equally often but for one time, and a balance lies within -M and Q. One that comes new is paid
 * already and waits for one balance, Q at most, and one item of each other. If any member can be served, {@link #next} finds one. Who
 * does not want to be served saves nothing: a balance never exceeds Q.
 *
 * <p>A visit is a few instructions, and rounds in which nobody could be served are made at once, so {@link #next} costs as much as there are
 * members, whatever they owe.
 */
final class Ring<K> {
    private final long quantum;
    private final LinkedHashMap<K, Member> members = new LinkedHashMap<>(); // the first is visited

    private static final class Member {
        long balance;
        int joined;
    }

    /** @param quantum tokens, at least 1 */
    Ring(long quantum) {
        if (quantum < 1) {
            throw new IllegalArgumentException("quantum must be at least 1: quantum=" + quantum);
        }
        this.quantum = quantum;
    }

    /** One that was not here comes behind all others. */
    void join(K key) {
        Member member = members.get(key);
        if (member == null) {
            member = new Member();
            member.balance = quantum;
            members.put(key, member);
        }
        member.joined++;
    }

    /** Forgets a member that leaves as often as it has joined. */
    void leave(K key) {
        Member member = members.get(key);
        if (member == null) {
            throw new IllegalStateException("leaves without having joined: " + key);
        }
        if (--member.joined == 0) {
            members.remove(key);
        }
    }

    boolean isEmpty() {
        return members.isEmpty();
    }

    /** Whether the test says any of them. */
    boolean any(Predicate<? super K> eligible) {
        return members.keySet().stream().anyMatch(eligible);
    }

    /** Whose turn it is of those that the test says; stays the same until that is charged. Null if there are none. */
    @Nullable K next(Predicate<? super K> eligible) {
        long leastOwed = Long.MAX_VALUE;
        for (int left = members.size(); left > 0; left--) {
            Map.Entry<K, Member> first = members.firstEntry();
            K key = first.getKey();
            Member member = first.getValue();
            if (eligible.test(key)) {
                if (member.balance > 0) {
                    return key;
                }
                leastOwed = Math.min(leastOwed, -member.balance);
            }
            pay(member, 1);
            members.putLast(key, member);
        }
        if (leastOwed == Long.MAX_VALUE) {
            return null;
        }
        long rounds = leastOwed / quantum; // after the one above, until somebody has a balance
        members.values().forEach(member -> pay(member, rounds));
        return next(eligible);
    }

    private void pay(Member member, long rounds) {
        member.balance = Math.min(quantum, member.balance + rounds * quantum);
    }

    /** What a member may be served before another has its turn. */
    long balance(K key) {
        Member member = members.get(key);
        return member == null ? 0 : member.balance;
    }

    /** A member was served so many tokens; nothing happens if it has left. */
    void charge(K key, long tokens) {
        Member member = members.get(key);
        if (member != null) {
            member.balance -= tokens;
        }
    }

    /** Debts are over: nobody had to wait. */
    void forgive() {
        members.values().forEach(member -> member.balance = quantum);
    }
}

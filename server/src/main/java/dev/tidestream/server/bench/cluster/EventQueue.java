package dev.tidestream.server.bench.cluster;

import java.util.Comparator;
import java.util.PriorityQueue;

/** The virtual clock: what is to happen, in order of time; of what happens at one time, in the order in which it was asked for. */
final class EventQueue {
    private static final Comparator<Event> ORDER = Comparator.comparingLong(Event::atNs).thenComparingLong(Event::order);

    private record Event(long atNs, long order, Runnable action) {}

    private final PriorityQueue<Event> events = new PriorityQueue<>(ORDER);
    private long nowNs;
    private long asked;

    long nowNs() {
        return nowNs;
    }

    /** @throws IllegalArgumentException if that is over */
    void at(long ns, Runnable action) {
        if (ns < nowNs) {
            throw new IllegalArgumentException("an event of the past: at=%d, now=%d".formatted(ns, nowNs));
        }
        events.add(new Event(ns, asked++, action));
    }

    void after(long ns, Runnable action) {
        at(nowNs + ns, action);
    }

    /** Lets all happen that is to happen until then; the clock stands there afterwards. */
    void runUntil(long endNs) {
        while (!events.isEmpty() && events.peek().atNs() <= endNs) {
            Event next = events.remove();
            nowNs = next.atNs();
            next.action().run();
        }
        nowNs = endNs;
    }
}

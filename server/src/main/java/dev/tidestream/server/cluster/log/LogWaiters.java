package dev.tidestream.server.cluster.log;

import java.util.ArrayList;
import java.util.List;

/** Requests that wait for something new in the log. Any thread. */
final class LogWaiters {
    private final List<Runnable> waiting = new ArrayList<>(); // guarded by this

    /**
     * Has somebody woken, once, when there is something new.
     *
     * @param atMost so many wait
     * @return false if as many wait already
     */
    synchronized boolean add(Runnable waiter, int atMost) {
        return waiting.size() < atMost && waiting.add(waiter);
    }

    /** Nobody is to be woken any more. */
    synchronized void remove(Runnable waiter) {
        waiting.remove(waiter);
    }

    /** There is something new. */
    void wake() {
        List<Runnable> woken;
        synchronized (this) {
            woken = List.copyOf(waiting);
            waiting.clear();
        }
        woken.forEach(Runnable::run);
    }
}

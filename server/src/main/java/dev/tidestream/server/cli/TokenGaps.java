package dev.tidestream.server.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** How long the tokens of a stream were apart while something was going on. One thread adds, any thread reads. */
final class TokenGaps {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private final List<Gap> gaps = new ArrayList<>();

    /**
     * The time between two tokens.
     *
     * @param breakNs of it, a builder's break ({@link dev.tidestream.server.epoch.StepBreak})
     * @param stolenNs that another machine of the same host had of all cores together, see {@link StolenTime}
     * @param computedNs of it, time in which the decode thread ran: a step's own work and waiting for its workers without parking. What is
     *     neither this nor the break, it stood without a core or was parked.
     */
    record Gap(long ns, long breakNs, long stolenNs, long computedNs) {
        long lessBreakNs() {
            return ns - breakNs;
        }
    }

    /** A token has come. */
    void add(Gap gap) {
        lock.lock();
        try {
            gaps.add(gap);
            added.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Returns when so many tokens more have come.
     *
     * @return false if none has come for that long
     */
    boolean awaitMore(int tokens, Duration patience) throws InterruptedException {
        lock.lock();
        try {
            int wanted = gaps.size() + tokens;
            while (gaps.size() < wanted) {
                int before = gaps.size();
                long leftNs = added.awaitNanos(patience.toNanos());
                if (leftNs <= 0 && gaps.size() == before) {
                    return false;
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** What has come so far. */
    List<Gap> all() {
        lock.lock();
        try {
            return List.copyOf(gaps);
        } finally {
            lock.unlock();
        }
    }
}

package dev.tidestream.server.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** How long the tokens of a stream were apart while something was going on. One thread adds, any thread reads. */
public final class TokenGaps {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private final List<Gap> gaps = new ArrayList<>();

    /**
     * The time between two tokens.
     *
     * @param breakNs of it, a builder's break ({@link dev.tidestream.server.pacing.StepBreak})
     * @param stolenNs that another machine of the same host had of all cores together, see {@link StolenTime}
     * @param computedNs processor time of the decode thread from the one token to the other: a step's own work, waiting for its workers as
     *     long as it does not park, and what it does within the break
     */
    public record Gap(long ns, long breakNs, long stolenNs, long computedNs) {
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
    public boolean awaitMore(int tokens, Duration patience) throws InterruptedException {
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
    public List<Gap> all() {
        lock.lock();
        try {
            return List.copyOf(gaps);
        } finally {
            lock.unlock();
        }
    }
}

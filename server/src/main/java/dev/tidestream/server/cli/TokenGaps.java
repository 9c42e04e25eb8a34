package dev.tidestream.server.cli;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How long the tokens of a stream were apart while something was going on, and how much of that was a builder's break
 * ({@link dev.tidestream.server.epoch.StepBreak}). One thread adds, any thread reads.
 */
final class TokenGaps {
    private static final double NS_PER_MS = 1e6;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private long[] gapNs = new long[256];
    private long[] breakNs = new long[256];
    private int count;

    /** What can be said of them, in ms; all 0 if there are none. */
    record Figures(int tokens, double medianMs, double p99Ms, double longestMs, double longestLessBreakMs, double breakShare) {}

    /** A token has come. */
    void add(long gap, long ofItBreak) {
        lock.lock();
        try {
            if (count == gapNs.length) {
                gapNs = Arrays.copyOf(gapNs, 2 * count);
                breakNs = Arrays.copyOf(breakNs, 2 * count);
            }
            gapNs[count] = gap;
            breakNs[count++] = ofItBreak;
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
            int wanted = count + tokens;
            while (count < wanted) {
                int before = count;
                long leftNs = added.awaitNanos(patience.toNanos());
                if (leftNs <= 0 && count == before) {
                    return false;
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    Figures figures() {
        lock.lock();
        try {
            if (count == 0) {
                return new Figures(0, 0, 0, 0, 0, 0);
            }
            long[] sorted = Arrays.copyOf(gapNs, count);
            Arrays.sort(sorted);
            long longestLess = 0;
            for (int i = 0; i < count; i++) {
                longestLess = Math.max(longestLess, gapNs[i] - breakNs[i]);
            }
            double share = (double) Arrays.stream(breakNs, 0, count).sum() / Math.max(1, Arrays.stream(sorted).sum());
            return new Figures(count, ms(sorted[count / 2]), ms(sorted[Math.min(count - 1, count * 99 / 100)]),
                    ms(sorted[count - 1]), ms(longestLess), share);
        } finally {
            lock.unlock();
        }
    }

    private static double ms(long nanos) {
        return nanos / NS_PER_MS;
    }
}

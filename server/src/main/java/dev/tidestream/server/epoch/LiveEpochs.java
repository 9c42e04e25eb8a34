package dev.tidestream.server.epoch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The epochs whose memory has not been given back, oldest first. The lock is held for moments only: the decode thread takes it when
 * it ends an epoch's last lease. Any thread.
 */
final class LiveEpochs {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition fewer = lock.newCondition();
    private final List<CountedEpoch> epochs = new ArrayList<>();

    void add(CountedEpoch epoch) {
        lock.lock();
        try {
            epochs.add(epoch);
        } finally {
            lock.unlock();
        }
    }

    void remove(CountedEpoch epoch) {
        lock.lock();
        try {
            epochs.remove(epoch);
            fewer.signalAll();
        } finally {
            lock.unlock();
        }
    }

    List<CountedEpoch> list() {
        lock.lock();
        try {
            return List.copyOf(epochs);
        } finally {
            lock.unlock();
        }
    }

    int count() {
        lock.lock();
        try {
            return epochs.size();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there are fewer than {@code limit}; false if that took too long. */
    boolean awaitFewerThan(int limit, long timeoutNs) throws InterruptedException {
        long deadlineNs = System.nanoTime() + timeoutNs;
        lock.lock();
        try {
            while (epochs.size() >= limit) {
                if (!fewer.await(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS) && epochs.size() >= limit) {
                    return false;
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}

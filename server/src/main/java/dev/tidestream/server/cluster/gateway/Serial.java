package dev.tidestream.server.cluster.gateway;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after the other on whichever thread brings one while none runs; others leave theirs to it. So state needs no lock, and
 * no lock is held while a subscriber is told: one that has a lock of its own may ask for more from within.
 */
final class Serial {
    private static final Logger log = LoggerFactory.getLogger(Serial.class);

    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();

    void run(Runnable task) {
        tasks.add(task);
        if (waiting.getAndIncrement() != 0) {
            return;
        }
        do {
            Runnable next = tasks.poll();
            if (next != null) {
                try {
                    next.run();
                } catch (RuntimeException e) {
                    log.error("a task of a relayed stream failed", e);
                }
            }
        } while (waiting.decrementAndGet() != 0);
    }
}

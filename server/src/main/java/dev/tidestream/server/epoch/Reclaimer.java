package dev.tidestream.server.epoch;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread, {@code tidestream-reclaim}, that gives memory of ended epochs back: unmapping a gigabyte takes longer than a token may.
 * What it is given is bounded by the number of live epochs.
 */
public final class Reclaimer implements Executor, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Reclaimer.class);
    private static final int PATIENCE_S = 10;

    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().name("tidestream-reclaim").daemon().factory());

    @Override
    public void execute(Runnable task) {
        thread.execute(task);
    }

    /** Finishes what it was given. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(PATIENCE_S, TimeUnit.SECONDS)) {
                log.warn("memory of an epoch is still being given back after {} s", PATIENCE_S);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

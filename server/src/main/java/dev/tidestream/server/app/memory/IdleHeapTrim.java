package dev.tidestream.server.app.memory;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives heap that large messages left behind back to the system while nobody streams. A collector that runs only when it must
 * would keep it until the heap reaches its ceiling; a full collection while streams run would hold them back. Looks at the heap
 * every few seconds, on a thread of its own.
 */
public final class IdleHeapTrim implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(IdleHeapTrim.class);
    private static final int IDLE_LOOKS = 2; // in a row: a client between two requests is not idle

    /** The part of the heap that only a full collection empties. Any thread. */
    public interface Heap {
        /** Bytes used beyond what the last full collection left. */
        long grownBytes();

        /** Runs a full collection; returns when it has ended. */
        void collect();
    }

    private final BooleanSupplier idle;
    private final Heap heap;
    private final long worthBytes;
    private int idleLooks;
    private final ScheduledExecutorService timer;
    private final ScheduledFuture<?> looks;

    /**
     * Begins to look.
     *
     * @param idle whether no stream runs or waits
     * @param worthBytes growth below which nothing is done
     * @param timer looks every {@code interval}; closed with this
     */
    public IdleHeapTrim(BooleanSupplier idle, Heap heap, long worthBytes, Duration interval, ScheduledExecutorService timer) {
        this.idle = idle;
        this.heap = heap;
        this.worthBytes = worthBytes;
        this.timer = timer;
        looks = timer.scheduleWithFixedDelay(this::lookSafely, interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void lookSafely() {
        try {
            look();
        } catch (RuntimeException e) { // a fault of ours, which must not end the looks without a word
            log.error("the heap could not be trimmed", e);
        }
    }

    /** One look; on the timer's thread only. */
    void look() {
        if (!idle.getAsBoolean()) {
            idleLooks = 0;
            return;
        }
        long grownBytes = heap.grownBytes();
        if (++idleLooks < IDLE_LOOKS || grownBytes < worthBytes) {
            return;
        }
        long start = System.nanoTime();
        heap.collect();
        log.info("heap trimmed while idle: garbage_bytes={} took_ms={}",
                grownBytes - heap.grownBytes(), TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
    }

    @Override
    public void close() {
        looks.cancel(false);
        timer.shutdownNow();
    }
}

package dev.tidestream.server.transport.websocket;

import java.time.Duration;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.EventLoopClock;

/**
 * Watches for signs of life: a client that was silent for the ping interval is pinged, and again after each such interval; one that
 * was silent for too long is dead. While nothing is read of it, it cannot be blamed, but is pinged all the same. Looks when either
 * is next due, not at every sign. Event loop.
 */
final class SilenceWatch {
    private final EventLoopClock clock;
    private final long intervalNs;
    private final long deadAfterNs;
    private final Runnable ping;
    private final LongConsumer dead;

    private boolean held;
    private long lastSeenNs;
    private long lastPingNs;
    private EventLoopClock.@Nullable Timer next;

    /** @param dead gets the nanoseconds of silence; nothing is watched any more */
    SilenceWatch(EventLoopClock clock, Duration pingInterval, Duration deadAfter, Runnable ping, LongConsumer dead) {
        this.clock = clock;
        this.intervalNs = pingInterval.toNanos();
        this.deadAfterNs = deadAfter.toNanos();
        this.ping = ping;
        this.dead = dead;
        this.lastSeenNs = clock.nanoTime();
        this.lastPingNs = lastSeenNs;
    }

    /** A sign of life. */
    void seen() {
        lastSeenNs = clock.nanoTime();
    }

    /** Whether it is us who do not listen. */
    void hold(boolean notListening) {
        if (held != notListening) {
            held = notListening;
            seen();
        }
    }

    /** Looks now, and when something is next due. */
    void look() {
        long nowNs = clock.nanoTime();
        if (held) {
            lastSeenNs = nowNs;
        }
        long silentNs = nowNs - lastSeenNs;
        if (silentNs >= deadAfterNs) {
            dead.accept(silentNs);
            return;
        }
        if (nowNs - lastPingNs >= intervalNs && (held || silentNs >= intervalNs)) {
            lastPingNs = nowNs;
            ping.run();
        }
        long pingDueNs = (held ? lastPingNs : Math.max(lastSeenNs, lastPingNs)) + intervalNs;
        long nextNs = Math.min(pingDueNs, lastSeenNs + deadAfterNs);
        next = clock.after(Duration.ofNanos(Math.max(1, nextNs - nowNs)), this::look);
    }

    /** Watches no more. */
    void stop() {
        if (next != null) {
            next.cancel();
        }
    }
}

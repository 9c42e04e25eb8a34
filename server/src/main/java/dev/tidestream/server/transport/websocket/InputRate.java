package dev.tidestream.server.transport.websocket;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Bounds the bytes per second that all connections together make this server read. Each connection has an allowance of its own,
 * enough for what people type. What is beyond it comes from a budget that all share, and whoever uses that up is not read from for
 * a while: TCP then slows the sender down, and connections that send little notice nothing. Event loop.
 *
 * <p>Both are leaky buckets, kept as the time at which they are empty again (generic cell rate algorithm, ITU-T I.371).
 */
public final class InputRate {
    private static final long OWN_BYTES_PER_S = 64 << 10;
    private static final long OWN_BURST_BYTES = 256 << 10;
    private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

    private final long bytesPerSecond;
    private final LongSupplier nanoTime;
    private long emptyAtNs;
    private final AtomicLong pauses = new AtomicLong();

    /**
     * @param bytesPerSecond of all connections, beyond their own allowances; the burst is what comes in one second
     * @param nanoTime of the event loop
     */
    public InputRate(long bytesPerSecond, LongSupplier nanoTime) {
        if (bytesPerSecond < 1) {
            throw new IllegalArgumentException("bytesPerSecond must be at least 1: " + bytesPerSecond);
        }
        this.bytesPerSecond = bytesPerSecond;
        this.nanoTime = nanoTime;
        this.emptyAtNs = nanoTime.getAsLong();
    }

    /** The allowance of one more connection. */
    public Meter meter() {
        return new Meter();
    }

    /** How often a connection was not read from for a while, since the start. Any thread. */
    public long pauses() {
        return pauses.get();
    }

    /** What one connection has sent. Event loop. */
    public final class Meter {
        private long ownEmptyAtNs = nanoTime.getAsLong();

        private Meter() {}

        /** Counts bytes that came; returns for how many nanoseconds to read nothing more, 0 for as long as it may go on. */
        long pauseNs(int bytes) {
            long nowNs = nanoTime.getAsLong();
            long own = Math.max(ownEmptyAtNs, nowNs) + SECOND_NS * bytes / OWN_BYTES_PER_S;
            if (own - nowNs <= SECOND_NS * OWN_BURST_BYTES / OWN_BYTES_PER_S) {
                ownEmptyAtNs = own;
                return 0;
            }
            emptyAtNs = Math.max(emptyAtNs, nowNs) + SECOND_NS * bytes / bytesPerSecond;
            long pauseNs = Math.max(0, emptyAtNs - nowNs - SECOND_NS);
            if (pauseNs > 0) {
                pauses.incrementAndGet();
            }
            return pauseNs;
        }
    }
}

package dev.tidestream.server.transport.websocket;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.EventLoopClock;

/** Says when a connection is not to be read from, because it has sent too fast. Event loop. */
final class InputThrottle {
    private final InputRate.@Nullable Meter meter;
    private final EventLoopClock clock;
    private final Runnable onChange;
    private boolean closed;

    /**
     * @param meter null for a connection that may send as fast as it can
     * @param onChange told after {@link #closed} has changed
     */
    InputThrottle(InputRate.@Nullable Meter meter, EventLoopClock clock, Runnable onChange) {
        this.meter = meter;
        this.clock = clock;
        this.onChange = onChange;
    }

    /** Whether nothing is to be read. */
    boolean closed() {
        return closed;
    }

    /** These bytes were read; the next ones are read when the rate allows it. */
    void count(int bytes) {
        long pauseNs = meter == null || closed ? 0 : meter.pauseNs(bytes);
        if (pauseNs > 0) {
            closed = true;
            onChange.run();
            clock.after(Duration.ofNanos(pauseNs), () -> {
                closed = false;
                onChange.run();
            });
        }
    }
}

package dev.tidestream.server.transport.common;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Vertx;

/** The real time; its timers run on the context on which they are asked for. */
public final class VertxClock implements EventLoopClock {
    private static final long NANOS_PER_MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    private final Vertx vertx;

    public VertxClock(Vertx vertx) {
        this.vertx = vertx;
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer after(Duration delay, Runnable task) {
        long millis = Math.max(1, Math.ceilDiv(delay.toNanos(), NANOS_PER_MILLI)); // never early
        long id = vertx.setTimer(millis, fired -> task.run());
        return () -> vertx.cancelTimer(id);
    }
}

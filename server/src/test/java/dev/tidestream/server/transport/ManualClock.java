package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

import io.vertx.core.Context;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.EventLoopClock;

/** The time of one event loop, which stands still until a test advances it. */
public final class ManualClock implements EventLoopClock, Function<Context, EventLoopClock> {
    private static final int PATIENCE_S = 60;

    private final AtomicLong nowNs = new AtomicLong();
    private final PriorityQueue<Call> calls =
            new PriorityQueue<>(Comparator.comparingLong(Call::dueNs).thenComparingLong(Call::number)); // event loop
    private long made;
    private @Nullable Context context;

    private record Call(long dueNs, long number, Runnable task) {}

    /** For one server. */
    @Override
    public EventLoopClock apply(Context eventLoop) {
        context = eventLoop;
        return this;
    }

    @Override
    public long nanoTime() {
        return nowNs.get();
    }

    @Override
    public Timer after(Duration delay, Runnable task) {
        Call call = new Call(nowNs.get() + delay.toNanos(), made++, task);
        calls.add(call);
        return () -> calls.remove(call);
    }

    /** Lets so much time pass, call by call, on the event loop; all that was due is done when this returns. */
    public void advance(Duration by) throws Exception {
        Context eventLoop = context;
        if (eventLoop == null) {
            throw new IllegalStateException("no server has this clock");
        }
        CompletableFuture<Void> passed = new CompletableFuture<>();
        eventLoop.runOnContext(v -> {
            try {
                long endNs = nowNs.get() + by.toNanos();
                for (Call call = calls.peek(); call != null && call.dueNs() <= endNs; call = calls.peek()) {
                    calls.remove();
                    nowNs.set(call.dueNs());
                    call.task().run();
                }
                nowNs.set(endNs);
                passed.complete(null);
            } catch (RuntimeException | Error e) {
                passed.completeExceptionally(e);
            }
        });
        passed.get(PATIENCE_S, TimeUnit.SECONDS);
    }
}

package dev.tidestream.loadtest.wire;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;
import reactor.netty.http.client.HttpClient;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;

/** The one I/O thread, which owns the state of all connections and streams. */
public final class Io implements AutoCloseable {
    private final LoopResources resources = LoopResources.create("loadtest-io", 1, true);
    private final EventLoop loop = resources.onClient(true).next();
    private final long threadId;
    private final Duration connectTimeout;
    private volatile Consumer<Throwable> fault =
            e -> Thread.currentThread().getUncaughtExceptionHandler().uncaughtException(Thread.currentThread(), e);

    /** @param connectTimeout how long a server may take for a connection, and for the handshake of a WebSocket; at least 1 ms */
    public Io(Duration connectTimeout) {
        this.connectTimeout = connectTimeout;
        try {
            threadId = loop.submit(() -> Thread.currentThread().threadId()).get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the I/O thread started", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the I/O thread does not start", e);
        }
    }

    /** How long a server may take for a connection, and for the handshake of a WebSocket. */
    public Duration connectTimeout() {
        return connectTimeout;
    }

    /** {@link Thread#threadId()} of the thread. */
    public long threadId() {
        return threadId;
    }

    /** Who hears of what a task of {@link #after} throws. To be called before there are any. */
    public void onFault(Consumer<Throwable> listener) {
        fault = listener;
    }

    public void execute(Runnable task) {
        loop.execute(task);
    }

    /** Runs a task on the thread after {@code delayNs}, or at once if that is not above 0. */
    public void after(long delayNs, Runnable task) {
        var _ = loop.schedule(() -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                fault.accept(e);
            }
        }, Math.max(0, delayNs), TimeUnit.NANOSECONDS);
    }

    /** One connection per call, on this thread. */
    public HttpClient http() {
        return HttpClient.create(ConnectionProvider.newConnection())
                .runOn(resources)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(Integer.MAX_VALUE, connectTimeout.toMillis()))
                .option(ChannelOption.TCP_NODELAY, true);
    }

    /** The same, and who is asked is told the key; null: without. */
    public HttpClient http(@Nullable String key) {
        return key == null ? http() : http().headers(h -> h.set("Authorization", "Bearer " + key));
    }

    @Override
    public void close() {
        resources.disposeLater(Duration.ZERO, Duration.ofSeconds(2)).block(Duration.ofSeconds(5));
    }
}

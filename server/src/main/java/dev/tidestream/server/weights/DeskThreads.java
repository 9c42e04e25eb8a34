package dev.tidestream.server.weights;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;

/**
 * Threads that may block, {@code tidestream-weights-*}: most of them wait for the disk, one at a time builds. They are not Vert.x's, which
 * would interrupt them when the server stops: a thread that is interrupted while it writes to a file loses the file. Any thread.
 */
public final class DeskThreads implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DeskThreads.class);
    private static final int THREADS = 4;
    private static final int MAX_WAITING = 64;
    private static final int TELL_AFTER_S = 10;

    private final ThreadPoolExecutor threads = new ThreadPoolExecutor(THREADS, THREADS, 1, TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MAX_WAITING), Thread.ofPlatform().name("tidestream-weights-", 1).daemon().factory());

    /** Threads that end while there is nothing to do. */
    public DeskThreads() {
        threads.allowCoreThreadTimeOut(true);
    }

    /** Makes a call; the result comes back on the context. Fails with {@code busy} if too many wait, {@code shutting_down} at the end. */
    public <T> Future<T> run(Context context, Callable<T> call) {
        Promise<T> promise = Promise.promise();
        try {
            threads.execute(() -> {
                try {
                    T result = call.call();
                    context.runOnContext(v -> promise.complete(result));
                } catch (Exception | Error e) { // whoever asked is told
                    context.runOnContext(v -> promise.fail(e));
                }
            });
        } catch (RejectedExecutionException e) {
            promise.fail(threads.isShutdown() ? new AdminException(AdminErrorCode.SHUTTING_DOWN, "the server is shutting down", e)
                    : new AdminException(AdminErrorCode.BUSY, "too many requests wait already: limit=" + MAX_WAITING, e));
        }
        return promise.future();
    }

    /** Takes nothing new, and waits for what runs: what was begun is done or refused, nothing in between. */
    @Override
    public void close() {
        threads.shutdown();
        boolean interrupted = false;
        while (!threads.isTerminated()) {
            try {
                if (!threads.awaitTermination(TELL_AFTER_S, TimeUnit.SECONDS)) {
                    log.info("still waiting for changes of the weights: under_way={}", threads.getActiveCount());
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

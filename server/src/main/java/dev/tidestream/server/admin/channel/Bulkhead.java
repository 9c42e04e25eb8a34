package dev.tidestream.server.admin.channel;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.WorkerExecutor;

/**
 * One kind of work on a shared pool, in order of arrival and with no more than its share of the threads, so that it leaves room
 * for the other kinds. The queue is bounded by what its callers may have under way. One event loop.
 */
final class Bulkhead {
    private final WorkerExecutor pool;
    private final int width;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;

    /** @param width threads it may use at once, at least 1 */
    Bulkhead(WorkerExecutor pool, int width) {
        this.pool = pool;
        this.width = width;
    }

    /**
     * Runs the work on a thread of the pool as soon as there is one for it. Fails if the pool takes none any more. What is told
     * the result may be told before this returns.
     */
    <T> Future<T> run(Callable<T> work) {
        Promise<T> promise = Promise.promise();
        waiting.add(() -> Future.succeededFuture().compose(v -> pool.executeBlocking(work, false)).onComplete(result -> {
            running--;
            startNext();
            promise.handle(result);
        }));
        startNext();
        return promise.future();
    }

    private void startNext() {
        while (running < width && !waiting.isEmpty()) {
            running++;
            waiting.remove().run();
        }
    }
}

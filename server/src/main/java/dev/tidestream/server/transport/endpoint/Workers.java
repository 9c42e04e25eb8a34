package dev.tidestream.server.transport.endpoint;

import java.io.Serial;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.WorkerExecutor;

/**
 * Threads for what requests need before there is anything to generate: long bodies read, templates rendered, texts made into tokens. They
 * are nobody else's, so that a request that takes its time keeps no message of a WebSocket waiting. What waits for them is bounded: by the
 * places of sessions, by the turns that a connection with lanes may have at once, and here for requests that have none. Event loop.
 */
public final class Workers implements Endpoint.Capacity {
    private static final String NAME = "tidestream-request";
    private static final int THREADS = 2; // a long one leaves one for the others

    private final WorkerExecutor executor;
    private final int limit;
    private int counted;

    /** That a client has gone before its turn came. */
    private static final class GoneException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        GoneException() {
            super("the client has gone", null, false, false);
        }
    }

    /**
     * Of one event loop; they end when its verticle is stopped.
     *
     * @param limit most requests without a place that wait, are worked on or are being answered
     */
    public Workers(Context context, int limit) {
        this.executor = context.owner().createSharedWorkerExecutor(NAME, THREADS);
        this.limit = limit;
    }

    @Override
    public boolean hasRoom() {
        return counted < limit;
    }

    /** Does it, unless the client has gone when its turn comes; for a request that has a place, or has {@linkplain #enter entered}. */
    public <T> Future<T> run(Exchange exchange, Callable<T> work) {
        AtomicBoolean gone = new AtomicBoolean(exchange.response().closed());
        if (!gone.get()) {
            exchange.response().closeHandler(v -> gone.set(true));
        }
        return run(gone::get, work);
    }

    /**
     * Does it, unless nobody wants it any more when its turn comes; for who bounds by itself how much waits.
     *
     * @param gone asked on a worker
     */
    public <T> Future<T> run(BooleanSupplier gone, Callable<T> work) {
        return executor.executeBlocking(() -> {
            if (gone.getAsBoolean()) {
                throw new GoneException();
            }
            return work.call();
        }, false);
    }

    /** One more request that has no place, until it is answered; false if there are too many. */
    public boolean enter() {
        if (!hasRoom()) {
            return false;
        }
        counted++;
        return true;
    }

    /** One of those is answered. */
    public void leave() {
        counted--;
    }
}

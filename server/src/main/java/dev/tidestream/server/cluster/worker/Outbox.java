package dev.tidestream.server.cluster.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

import dev.tidestream.server.cluster.wire.WorkerFrame;

/**
 * From any thread to one event loop, where frames that have come meanwhile go out as one message: the tokens of a decode step mostly do.
 * Posting never blocks. It holds what gateways have granted credit for, and no more.
 */
final class Outbox {
    private static final int MAX_BATCH = 256;

    private final Queue<WorkerFrame> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Executor eventLoop;
    private final Consumer<List<WorkerFrame>> send;

    /**
     * Empty.
     *
     * @param eventLoop runs a task later, in the order they were given to it
     * @param send on the event loop
     */
    Outbox(Executor eventLoop, Consumer<List<WorkerFrame>> send) {
        this.eventLoop = eventLoop;
        this.send = send;
    }

    void post(WorkerFrame frame) {
        queue.add(frame);
        if (waiting.getAndIncrement() == 0) {
            eventLoop.execute(this::drain);
        }
    }

    private void drain() {
        List<WorkerFrame> batch = new ArrayList<>();
        WorkerFrame frame;
        while (batch.size() < MAX_BATCH && (frame = queue.poll()) != null) {
            batch.add(frame);
        }
        try {
            send.accept(batch);
        } finally {
            if (waiting.addAndGet(-batch.size()) > 0) {
                eventLoop.execute(this::drain);
            }
        }
    }
}

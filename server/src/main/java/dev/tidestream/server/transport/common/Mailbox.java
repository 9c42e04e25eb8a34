package dev.tidestream.server.transport.common;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From any thread to one event loop: tasks run in the order they were posted, and many of them share one hop. Posting never
 * blocks. The queue is bounded by what is posted: a stream posts at most as many signals as it has demand, and one end. A task that throws
 * is written down, and keeps nobody else's from running.
 */
public final class Mailbox {
    private static final Logger log = LoggerFactory.getLogger(Mailbox.class);
    /** Then other connections of the event loop have their turn. */
    private static final int MAX_BATCH = 256;

    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Executor eventLoop;

    /** @param eventLoop runs a task later, in the order they were given to it */
    public Mailbox(Executor eventLoop) {
        this.eventLoop = eventLoop;
    }

    /** Runs the task on the event loop, after those posted before. */
    public void post(Runnable task) {
        queue.add(task);
        if (waiting.getAndIncrement() == 0) {
            eventLoop.execute(this::drain);
        }
    }

    private void drain() {
        int done = 0;
        Runnable task;
        while (done < MAX_BATCH && (task = queue.poll()) != null) {
            done++;
            run(task);
        }
        if (waiting.addAndGet(-done) > 0) {
            eventLoop.execute(this::drain);
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            log.error("a task of an event loop failed", e);
        }
    }
}

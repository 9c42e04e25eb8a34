package dev.tidestream.server.logging;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Events of threads that must not wait for a log: a thread of its own makes the lines and writes them. Where more come than it can write,
 * they are left out and counted, and the next line says how many. Any thread.
 */
public final class BackgroundLog implements AutoCloseable {
    private static final EventLine END = EventLine.of("end");

    private final EventLog log;
    private final BlockingQueue<Supplier<EventLine>> lines;
    private final AtomicLong suppressed = new AtomicLong();
    private final Thread writer;

    /**
     * @param log where the lines go
     * @param capacity most lines that wait
     */
    public BackgroundLog(EventLog log, int capacity) {
        this.log = log;
        this.lines = new ArrayBlockingQueue<>(capacity);
        this.writer = Thread.ofPlatform().name("tidestream-stream-log").daemon().start(this::write);
    }

    /**
     * Something has been done.
     *
     * @param line made by the log's thread
     */
    public void done(Supplier<EventLine> line) {
        if (!lines.offer(line)) {
            suppressed.incrementAndGet();
        }
    }

    private void write() {
        try {
            for (EventLine line = lines.take().get(); line != END; line = lines.take().get()) {
                long left = suppressed.getAndSet(0);
                log.done(left == 0 ? line : line.with("suppressed", left));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until what has come is written. */
    @Override
    public void close() {
        try {
            lines.put(() -> END);
            writer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package dev.tidestream.server.logging;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events of threads that must not wait for a log: a thread of its own makes the lines and writes them. What cannot be written, or comes
 * faster than it can be, is left out and counted, and the next line says how many. Any thread.
 */
public final class BackgroundLog implements AutoCloseable {
    private static final Logger fault = LoggerFactory.getLogger(BackgroundLog.class);
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
            boolean more = true;
            while (more) {
                more = write(lines.take());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether there may be more */
    private boolean write(Supplier<EventLine> made) {
        String event = "none, it could not be made";
        long left = 0;
        try {
            EventLine line = made.get();
            if (line == END) {
                return false;
            }
            event = line.event();
            left = suppressed.getAndSet(0);
            log.done(left == 0 ? line : line.with("suppressed", left));
        } catch (RuntimeException e) { // of the line, or of whatever the log is configured with: the next line may be written
            suppressed.addAndGet(left + 1);
            fault.error("a line of the log was not written: event={}", event, e);
        }
        return true;
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

package dev.tidestream.server.transport;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.endpoint.Session;

/**
 * Ends all sessions of a server within a bounded time, and says in the log what it waits for: streams may end by themselves, then
 * they are broken off, then clients may answer the close frame, then sockets are closed whatever they did. Event loop.
 */
final class Drain {
    private static final Logger log = LoggerFactory.getLogger(Drain.class);
    private static final Duration REPORT_INTERVAL = Duration.ofSeconds(2);
    /**
     * What clients have for the close frame after the grace period; less than at other times, since somebody waits for the end.
     */
    static final Duration LAST_WAIT = Duration.ofSeconds(1);

    private final Supplier<List<Session>> sessions;
    private final Duration grace;
    private final EventLoopClock clock;
    private final Promise<Void> done = Promise.promise();
    private long startNs;
    private EventLoopClock.Timer next;
    private EventLoopClock.Timer report;

    /** @param sessions those that are open now */
    Drain(Supplier<List<Session>> sessions, Duration grace, EventLoopClock clock) {
        this.sessions = sessions;
        this.grace = grace;
        this.clock = clock;
        this.startNs = clock.nanoTime();
        this.next = clock.after(grace, this::breakOff);
        this.report = clock.after(REPORT_INTERVAL, this::report);
    }

    /** Completes when no session is open. */
    Future<Void> run() {
        log.info("stopping: {}, grace_ms={}", waitingFor(), grace.toMillis());
        List<Session> open = sessions.get();
        Future.join(open.stream().map(Session::closed).toList()).onComplete(all -> finish());
        open.forEach(Session::drain);
        return done.future();
    }

    private void breakOff() {
        log.info("grace period is over, breaking off: {}", waitingFor());
        next = clock.after(LAST_WAIT, this::abort);
        sessions.get().forEach(Session::breakOff);
    }

    private void abort() {
        log.info("not waiting any more for clients to close: {}", waitingFor());
        sessions.get().forEach(Session::abort);
    }

    private void report() {
        log.info("waiting: {}", waitingFor());
        report = clock.after(REPORT_INTERVAL, this::report);
    }

    private void finish() {
        next.cancel();
        report.cancel();
        log.info("all connections are closed: took_ms={}", TimeUnit.NANOSECONDS.toMillis(clock.nanoTime() - startNs));
        done.complete();
    }

    private String waitingFor() {
        List<Session> open = sessions.get();
        return "connections=" + open.size() + ", under_way=" + open.stream().mapToInt(Session::underWay).sum();
    }
}

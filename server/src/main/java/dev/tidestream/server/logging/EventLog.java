package dev.tidestream.server.logging;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events under a logger of their own, each in one line. What has happened is always written. Refusals, which anybody can cause in any
 * number, are written at a limited rate for each kind; those left out are counted, and the count is told with the next line of the
 * kind, or by {@link #tellSuppressed}. Any thread.
 */
public final class EventLog {
    /** Of everything that administrators do. */
    public static final String AUDIT = "tidestream.audit";
    /** Of streams that have ended. */
    public static final String STREAMS = "tidestream.streams";
    /** Of requests that were refused to clients. */
    public static final String REFUSALS = "tidestream.refusals";

    /** Lines per second about refusals of one kind. */
    public static final int DEFAULT_PER_SECOND = 1;

    private static final int BURST = 10;
    private static final int MAX_KINDS = 256;

    private final Logger log;
    private final double perSecond;
    private final LongSupplier nanoTime;
    private final Map<String, Kind> kinds = new HashMap<>(); // guarded by itself

    private static final class Kind {
        final TokenBucket lines;
        long suppressed;

        Kind(TokenBucket lines) {
            this.lines = lines;
        }
    }

    /**
     * Under a logger.
     *
     * @param perSecond lines about refusals of one kind, after the first {@value #BURST}
     * @param nanoTime monotonic
     */
    public EventLog(String logger, double perSecond, LongSupplier nanoTime) {
        this.log = LoggerFactory.getLogger(logger);
        this.perSecond = perSecond;
        this.nanoTime = nanoTime;
    }

    /** With the default rate. */
    public static EventLog of(String logger) {
        return new EventLog(logger, DEFAULT_PER_SECOND, System::nanoTime);
    }

    /** Something has been done. */
    public void done(EventLine line) {
        log.info("{}", line);
    }

    /**
     * Something was refused.
     *
     * @param kind of a fixed set, e.g. the code of the answer
     * @param composed makes the line; not called for one that is left out, of which somebody may cause a great many
     */
    public void refused(String kind, Supplier<EventLine> composed) {
        long suppressed;
        synchronized (kinds) {
            String key = kinds.containsKey(kind) || kinds.size() < MAX_KINDS ? kind : "other";
            Kind known = kinds.computeIfAbsent(key, k -> new Kind(new TokenBucket(perSecond, BURST, nanoTime.getAsLong())));
            if (!known.lines.take(nanoTime.getAsLong())) {
                known.suppressed++;
                return;
            }
            suppressed = known.suppressed;
            known.suppressed = 0;
        }
        EventLine line = composed.get();
        log.warn("{}", suppressed == 0 ? line : line.with("suppressed", suppressed));
    }

    /** Tells how many lines were left out and not told yet; to be called now and then. */
    public void tellSuppressed() {
        Map<String, Long> left = new HashMap<>();
        synchronized (kinds) {
            kinds.forEach((name, kind) -> {
                if (kind.suppressed > 0) {
                    left.put(name, kind.suppressed);
                    kind.suppressed = 0;
                }
            });
        }
        left.forEach((name, count) -> log.warn("{}", EventLine.of("suppressed").with("kind", name).with("lines", count)));
    }
}

package dev.tidestream.loadtest.run;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Pauses;
import dev.tidestream.loadtest.wire.Io;

/** Kills workers, one after the other, while the load goes, and counts what becomes of streams that ran. On the I/O thread. */
final class Killer {
    private static final long LATELY_NS = 60_000_000_000L; // a killed one is back by then, or streams are elsewhere

    private final @Nullable WorkerFaults workers;
    private final Duration every;
    private final Io io;
    private final Ledger ledger;
    private final Lanes lanes;
    private final LongSupplier nanoTime;
    private final Consumer<Runnable> guard;
    private final TokenTally tokens = new TokenTally();
    private final Pauses pauses = new Pauses();
    private final Map<String, Long> killed = new TreeMap<>();
    private long disturbed;
    private long finished;
    private long lastNs;

    /**
     * @param workers null: nobody is killed
     * @param guard runs what a timer calls, so that a fault of ours ends the run
     */
    Killer(@Nullable WorkerFaults workers, Duration every, Io io, Ledger ledger, Lanes lanes, LongSupplier nanoTime,
            Consumer<Runnable> guard) {
        this.workers = workers;
        this.every = every;
        this.io = io;
        this.ledger = ledger;
        this.lanes = lanes;
        this.nanoTime = nanoTime;
        this.guard = guard;
    }

    /** The first is killed after the interval, the last while {@code going}. */
    void begin(BooleanSupplier going) {
        WorkerFaults some = workers;
        if (some != null && !every.isZero()) {
            io.after(every.toNanos(), () -> guard.accept(() -> next(some, going)));
        }
    }

    private void next(WorkerFaults some, BooleanSupplier going) {
        if (!going.getAsBoolean()) {
            return;
        }
        some.kill().ifPresent(this::killed);
        begin(going);
    }

    private void killed(String name) {
        lastNs = nanoTime.getAsLong();
        killed.merge(name, 1L, Long::sum);
        ledger.whole().mark(lastNs, 0, "fault", "kill: " + name + ", streams=" + lanes.running());
        for (Lane lane : lanes.all()) {
            for (Stream stream : lane.running.values()) {
                if (!stream.disturbed) {
                    stream.disturbed = true;
                    stream.check.tallied(tokens);
                    disturbed++;
                }
            }
        }
    }

    /** Whether a connection that is lost may be one to a worker that was killed. */
    boolean lately(long nowNs) {
        return !killed.isEmpty() && nowNs - lastNs < LATELY_NS;
    }

    /** A token has come; told before the ledger notes when. */
    void token(Stream stream, long nowNs) {
        if (stream.disturbed && stream.firstNs != 0) {
            stream.longestGapNs = Math.max(stream.longestGapNs, nowNs - stream.lastNs);
        }
    }

    /** A stream came to its own end. */
    void finished(Stream stream) {
        if (stream.disturbed) {
            finished++;
            pauses.add(stream.longestGapNs);
        }
    }

    /** Null if nobody was killed. */
    @Nullable
    Kills figures() {
        return killed.isEmpty() ? null
                : new Kills(killed, disturbed, finished, tokens.lost(), tokens.repeated(), pauses.latency());
    }
}

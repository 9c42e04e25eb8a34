package dev.tidestream.loadtest.run;

import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.plan.CreditPolicy;
import dev.tidestream.loadtest.plan.Faults;
import dev.tidestream.loadtest.plan.LoadPlan;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;

/** How the clients of a run read, and misbehave: credit, faults, and patience with a server that falls silent. */
final class Readers {
    private final LoadPlan plan;
    private final Io io;
    private final LongSupplier nanoTime;
    private final Ledger ledger;
    private final Promises promises;
    private final Consumer<Runnable> guard;

    /** @param guard runs what a timer calls, so that a fault of ours ends the run */
    Readers(LoadPlan plan, Io io, LongSupplier nanoTime, Ledger ledger, Promises promises,
            Consumer<Runnable> guard) {
        this.plan = plan;
        this.io = io;
        this.nanoTime = nanoTime;
        this.ledger = ledger;
        this.promises = promises;
        this.guard = guard;
    }

    /** What a request grants from the beginning. */
    static OptionalInt firstCredit(CreditPolicy policy) {
        return switch (policy) {
            case CreditPolicy.Greedy _ -> OptionalInt.empty();
            case CreditPolicy.Paced _ -> OptionalInt.of(1);
            case CreditPolicy.StopAndGo stop -> OptionalInt.of(stop.tokens());
        };
    }

    /** Which fault a draw from [0, 1) means. */
    static Stream.Fault fault(Faults faults, double draw) {
        if (draw < faults.vanish()) {
            return Stream.Fault.VANISH;
        }
        if (draw < faults.vanish() + faults.cancel()) {
            return Stream.Fault.CANCEL;
        }
        double others = faults.vanish() + faults.cancel() + faults.slow();
        return draw < others ? Stream.Fault.SLOW : draw < others + faults.resume() ? Stream.Fault.RESUME : Stream.Fault.NONE;
    }

    void accepted(Lane lane, Stream stream, long nowNs) {
        if (plan.credit() instanceof CreditPolicy.Paced paced) {
            pace(lane, stream, paced, nowNs);
        }
    }

    /** A token has come and has been counted. */
    void token(Lane lane, Stream stream, long nowNs, boolean mayMisbehave) {
        if (mayMisbehave && stream.fault != Stream.Fault.NONE && stream.check.tokens() == stream.faultAfter) {
            misbehave(lane, stream, nowNs);
        }
        if (plan.credit() instanceof CreditPolicy.StopAndGo stop && !stream.check.hasCredit()) {
            io.after(stop.pause().toNanos(), () -> guard.accept(() -> grant(lane, stream, stop.tokens())));
        }
    }

    private void pace(Lane lane, Stream stream, CreditPolicy.Paced paced, long acceptedNs) {
        long due = 1 + (long) ((nanoTime.getAsLong() - acceptedNs) * paced.tokensPerS() / 1e9);
        if (due > stream.granted) {
            grant(lane, stream, (int) Math.min(Integer.MAX_VALUE, due - stream.granted));
        }
        long nextNs = acceptedNs + (long) Math.ceil(stream.granted * 1e9 / paced.tokensPerS());
        if (!stream.check.ended() && !stream.vanished) {
            io.after(nextNs - nanoTime.getAsLong(), () -> guard.accept(() -> pace(lane, stream, paced, acceptedNs)));
        }
    }

    private void grant(Lane lane, Stream stream, int tokens) {
        Link link = lane.link();
        if (link != null && lane.running.containsKey(stream.id)) {
            stream.granted += tokens;
            stream.heardNs = nanoTime.getAsLong(); // silence without credit is no stall
            stream.check.granted(tokens);
            link.credit(stream.id, tokens);
        }
    }

    private void misbehave(Lane lane, Stream stream, long nowNs) {
        Link link = lane.link();
        if (link == null || lane.leaving) {
            return;
        }
        switch (stream.fault) {
            case VANISH -> {
                ledger.whole().mark(nowNs, 0, "fault", "vanish: connection " + lane.number + ", streams=" + lane.running.size());
                lane.leaving = true;
                lane.running.values().forEach(s -> s.vanished = true);
                link.vanish();
            }
            case CANCEL -> {
                ledger.whole().mark(nowNs, 0, "fault", "cancel: " + stream.id);
                cancel(lane, stream);
            }
            case SLOW -> {
                if (!lane.paused) {
                    ledger.whole().mark(nowNs, Faults.SLOW_MS * 1_000_000, "fault", "slow reader: connection " + lane.number);
                    lane.paused = true;
                    lane.running.values().forEach(s -> s.slowed = true);
                    link.pauseReading(true);
                    io.after(Faults.SLOW_MS * 1_000_000, () -> guard.accept(() -> readOn(lane)));
                }
            }
            case RESUME -> drop(lane, stream, link, nowNs);
            case NONE -> { }
        }
    }

    /**
     * Breaks its connection off, which it has for itself; it goes on when that is closed. What is on its way may still be
     * heard.
     */
    private void drop(Lane lane, Stream stream, Link link, long nowNs) {
        if (stream.check.resumeName() == null) {
            stream.check.broken(Promise.RESUMED, "a stream that was asked for as resumable has no name to resume it by");
            return;
        }
        ledger.whole().mark(nowNs, 0, "fault", "drop: " + stream.id + ", tokens=" + stream.check.tokens());
        lane.leaving = true;
        stream.dropped = true;
        stream.slowed = true; // the gap is ours
        link.vanish();
    }

    /** A dropped stream has a connection again. */
    void goOn(Lane lane, Stream stream) {
        Link link = lane.link();
        String name = stream.check.resumeName();
        if (link == null || name == null) {
            throw new IllegalStateException("a stream that cannot be resumed: stream=%s, lane=%d"
                    .formatted(stream.id, lane.number));
        }
        stream.heardNs = nanoTime.getAsLong();
        link.resume(stream.id, name, stream.check.lastSeq());
        if (stream.cancelled) { // while it had no connection that could have said so
            link.cancel(stream.id);
        }
    }

    private void readOn(Lane lane) {
        lane.paused = false;
        long nowNs = nanoTime.getAsLong();
        lane.running.values().forEach(s -> {
            s.slowed = true; // those that began meanwhile, too
            s.heardNs = nowNs;
        });
        Link link = lane.link();
        if (link != null) {
            link.pauseReading(false);
        }
    }

    /** Cancels a stream, once. */
    void cancel(Lane lane, Stream stream) {
        Link link = lane.link();
        if (!stream.cancelled && (link != null || stream.resumed)) {
            stream.cancelled = true;
            stream.check.cancelSent();
            if (link != null) {
                link.cancel(stream.id);
            }
        }
    }

    /** Breaks off a connection on which a stream has been silent for too long. */
    void silent(Lane lane, long nowNs) {
        for (Stream stream : List.copyOf(lane.running.values())) {
            if (lane.link() == null || !stream.check.hasCredit() || lane.paused || lane.leaving) {
                continue; // without a connection, it is that which takes its time (--connect-timeout)
            }
            if (nowNs - stream.heardNs <= plan.stall().toNanos()) {
                promises.kept(Promise.SILENCE);
            } else {
                stream.check.broken(Promise.SILENCE, "silent for " + (nowNs - stream.heardNs) / 1_000_000 + " ms after "
                        + stream.check.tokens()
                        + " tokens");
                ledger.whole().error("silent");
                Link link = lane.link();
                if (link != null) {
                    lane.leaving = true;
                    lane.running.values().forEach(s -> s.vanished = true); // closing ends them all
                    link.vanish();
                }
                return;
            }
        }
    }
}

package dev.tidestream.server.scheduler;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.scheduler.status.SchedulerStats;

/** Ends sequences whose time is up: that were without demand for too long, or whose deadline has passed. */
final class Timeouts {
    private static final long NS_PER_MS = 1_000_000;

    private final SchedulerConfig.Live limits;
    private final Failing failing;
    private long nowNs;
    private long nextNs = Long.MAX_VALUE;
    private long met;
    private long missedWaiting;
    private long missedRunning;

    /** Tells a client that its stream has failed, and gives up what that held. */
    @FunctionalInterface
    interface Failing {
        void fail(Sequence sequence, ErrorCode code, String message);
    }

    /** @param limits say how long a sequence may be without demand */
    Timeouts(SchedulerConfig.Live limits, Failing failing) {
        this.limits = limits;
        this.failing = failing;
    }

    /** A step begins. */
    void begin(long now) {
        nowNs = now;
        nextNs = Long.MAX_VALUE;
    }

    /** Nanoseconds from the begin of the last step until the time of some sequence is up; {@code Long.MAX_VALUE} if there is none. */
    long nextNs() {
        return nextNs;
    }

    /** Fails a sequence that waits, runs or is parked if its time is up; else remembers when that would be. */
    boolean over(Sequence sequence) {
        return late(sequence) || stalledTooLong(sequence);
    }

    /** Fails a sequence whose deadline has passed; it may never have waited. */
    boolean late(Sequence sequence) {
        long leftNs = sequence.request().untilDeadlineNs(nowNs);
        if (leftNs > 0) {
            nextNs = Math.min(nextNs, leftNs);
            return false;
        }
        if (sequence.generated() == 0) {
            missedWaiting++;
        } else {
            missedRunning++;
        }
        failing.fail(sequence, ErrorCode.DEADLINE_EXCEEDED, "not done in time: deadline_ms=%d, tokens=%d, stream=%d"
                .formatted(sequence.request().urgency().deadlineMs(), sequence.generated(), sequence.stream()));
        return true;
    }

    /** Fails a sequence that has been without demand for too long. */
    boolean stalledTooLong(Sequence sequence) {
        if (!sequence.checkStalled(nowNs)) {
            return false;
        }
        long stallNs = limits.stalled().timeoutNs();
        long leftNs = stallNs - (nowNs - sequence.stalledSinceNs());
        if (leftNs > 0) {
            nextNs = Math.min(nextNs, leftNs);
            return false;
        }
        failing.fail(sequence, ErrorCode.CREDIT_TIMEOUT, "no credit for too long: limit_ms=%d, stream=%d"
                .formatted(stallNs / NS_PER_MS, sequence.stream()));
        return true;
    }

    /** A sequence has made its last token. */
    void done(Sequence sequence) {
        met += sequence.request().urgency().hasDeadline() ? 1 : 0;
    }

    SchedulerStats.Deadlines deadlines() {
        return new SchedulerStats.Deadlines(met, missedWaiting, missedRunning);
    }
}

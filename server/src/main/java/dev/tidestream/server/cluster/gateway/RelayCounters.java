package dev.tidestream.server.cluster.gateway;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What a gateway has relayed. Any thread. */
public final class RelayCounters {
    final AtomicLong running = new AtomicLong();
    final LongAdder failovers = new LongAdder();
    final LongAdder moved = new LongAdder();
    final LongAdder givenUp = new LongAdder();
    final LongAdder tokens = new LongAdder();
    final LongAdder pausedNanos = new LongAdder();

    /** Streams that are relayed now. */
    public long running() {
        return running.get();
    }

    /** Times that a stream has lost its worker and has gone on elsewhere. */
    public long failovers() {
        return failovers.sum();
    }

    /** Times that a stream has left a worker that drains. */
    public long moved() {
        return moved.sum();
    }

    /** Streams that have found no other worker in time. */
    public long givenUp() {
        return givenUp.sum();
    }

    /** Tokens that went through. */
    public long tokens() {
        return tokens.sum();
    }

    /** Time that streams have been without a worker, nanoseconds, from when the old one was lost until another has accepted them. */
    public long pausedNanos() {
        return pausedNanos.sum();
    }
}

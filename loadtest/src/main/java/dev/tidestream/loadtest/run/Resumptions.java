package dev.tidestream.loadtest.run;

import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figures;

/** What became of streams whose connection a fault of ours broke off, to go on on another one. On the I/O thread. */
final class Resumptions {
    private final Map<String, Long> refused = new TreeMap<>();
    private long dropped;
    private long resumed;
    private long lost;
    private long repeated;

    /** Its connection is gone. */
    void dropped() {
        dropped++;
    }

    /** The server has accepted that it goes on. */
    void resumed() {
        resumed++;
    }

    /** The server does not let it go on, or not to its end. */
    void refused(String code) {
        refused.merge(code, 1L, Long::sum);
    }

    /**
     * A token of a stream that went on.
     *
     * @param seq of it
     * @param expected after the highest that had come
     */
    void token(int seq, int expected) {
        lost += Math.max(0, seq - expected);
        repeated += seq < expected ? 1 : 0;
    }

    /**
     * Its end.
     *
     * @param told tokens by the server's account
     * @param next after the highest that had come
     */
    void end(int told, int next) {
        lost += Math.max(0, told - next);
    }

    /** Null if no connection was broken off. */
    Figures.@Nullable Resumes figures() {
        return dropped == 0 ? null : new Figures.Resumes(dropped, resumed, refused, lost, repeated);
    }
}

package dev.tidestream.server.scheduler;

import dev.tidestream.server.scheduler.probe.LogitsProbe;

/** Told when streams get tokens, by the decode thread, which must not wait. */
public interface TokenObserver {

    /**
     * A stream has its first token.
     *
     * @param nanos since its request came
     */
    void firstToken(long nanos);

    /**
     * A stream that had demand all the time has another token.
     *
     * @param nanos since the one before
     */
    void nextToken(long nanos);

    /**
     * A step was computed.
     *
     * @param nanos that it took
     * @param rows of it
     * @param decodedRows rows that made a token each; the others are of prompts, or are computed anew
     */
    void stepped(long nanos, int rows, int decodedRows);

    /** A stream has ended. */
    void ended(StreamEnd end);

    /** Who sees the logits that tokens are sampled from. */
    default LogitsProbe logits() {
        return LogitsProbe.NONE;
    }

    /** Tells nobody. */
    TokenObserver NONE = new TokenObserver() {
        @Override
        public void firstToken(long nanos) {}

        @Override
        public void nextToken(long nanos) {}

        @Override
        public void stepped(long nanos, int rows, int decodedRows) {}

        @Override
        public void ended(StreamEnd end) {}
    };
}

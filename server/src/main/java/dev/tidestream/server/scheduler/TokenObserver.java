package dev.tidestream.server.scheduler;

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

    /** Tells nobody. */
    TokenObserver NONE = new TokenObserver() {
        @Override
        public void firstToken(long nanos) {}

        @Override
        public void nextToken(long nanos) {}
    };
}

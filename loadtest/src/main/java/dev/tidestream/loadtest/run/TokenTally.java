package dev.tidestream.loadtest.run;

/** Tokens of some streams that never came, or came again. On the I/O thread. */
final class TokenTally {
    private long lost;
    private long repeated;

    /**
     * A token of such a stream.
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

    long lost() {
        return lost;
    }

    long repeated() {
        return repeated;
    }
}

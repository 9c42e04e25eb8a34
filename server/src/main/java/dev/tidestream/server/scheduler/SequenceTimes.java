package dev.tidestream.server.scheduler;

import dev.tidestream.protocol.Timing;

/** When the request of a sequence came, when it got a slot, and when its tokens came; on the scheduler's clock. */
final class SequenceTimes {
    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_S = 1e9;

    private final long arrivalNs;
    private long admittedNs;
    private boolean wasAdmitted;
    private long firstTokenNs;
    private long lastTokenNs;
    private boolean stalled;
    private long stalledSinceNs;
    private boolean stalledSinceToken;

    SequenceTimes(long arrivalNs) {
        this.arrivalNs = arrivalNs;
    }

    /** It has a slot; what counts is the first time. */
    void admitted(long nowNs) {
        if (!wasAdmitted) {
            wasAdmitted = true;
            admittedNs = nowNs;
        }
    }

    /**
     * It has a token.
     *
     * @param seq 0 for the first one
     */
    void token(int seq, long nowNs, TokenObserver observer) {
        if (seq == 0) {
            firstTokenNs = nowNs;
            observer.firstToken(nowNs - arrivalNs);
        } else if (!stalledSinceToken) { // else that would be the client's time
            observer.nextToken(nowNs - lastTokenNs);
        }
        lastTokenNs = nowNs;
        stalledSinceToken = false;
    }

    /** Remembers since when it is without demand; whether it is. */
    boolean stalls(boolean hasDemand, long nowNs) {
        if (!hasDemand && !stalled) {
            stalledSinceToken = true;
            stalledSinceNs = nowNs;
        }
        stalled = !hasDemand;
        return stalled;
    }

    /** Whether it was without demand when that was last remembered. */
    boolean stalled() {
        return stalled;
    }

    /** Since when it was without demand the last time. */
    long stalledSinceNs() {
        return stalledSinceNs;
    }

    /** Of a sequence that ends now, with so many tokens. */
    Timing timing(int tokens, long nowNs) {
        double tokensPerS = lastTokenNs > firstTokenNs ? (tokens - 1) * NS_PER_S / (lastTokenNs - firstTokenNs) : 0;
        return new Timing(
                ((wasAdmitted ? admittedNs : nowNs) - arrivalNs) / NS_PER_MS,
                tokens > 0 ? (firstTokenNs - arrivalNs) / NS_PER_MS : 0,
                (nowNs - arrivalNs) / NS_PER_MS,
                tokensPerS);
    }
}

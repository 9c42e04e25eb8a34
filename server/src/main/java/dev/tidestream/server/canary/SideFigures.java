package dev.tidestream.server.canary;

/**
 * What has been seen of one side of a canary. Immutable.
 *
 * @param streams that began on it
 * @param tokens that it has made
 * @param scoredTokens those of them whose log-probability was computed: some of each step
 * @param logprobSum of these, under the softmax of the model's logits; natural logarithm
 * @param endedStreams of its version
 * @param failedStreams those of them that ended with a fault of model or server
 * @param nonFiniteRows rows of logits that no token could be sampled from
 */
public record SideFigures(
        long streams, long tokens, long scoredTokens, double logprobSum, long endedStreams, long failedStreams, long nonFiniteRows) {
    /** Nothing yet. */
    public static final SideFigures NONE = new SideFigures(0, 0, 0, 0, 0, 0, 0);

    /** NaN before any token was scored. */
    public double meanLogprob() {
        return logprobSum / scoredTokens;
    }

    /** NaN before any stream has ended. */
    public double failedShare() {
        return (double) failedStreams / endedStreams;
    }

    SideFigures withStream() {
        return new SideFigures(streams + 1, tokens, scoredTokens, logprobSum, endedStreams, failedStreams, nonFiniteRows);
    }

    SideFigures withTokens(int more, int scored, double logprobs, int nonFinite) {
        return new SideFigures(streams, tokens + more, scoredTokens + scored, logprobSum + logprobs, endedStreams, failedStreams,
                nonFiniteRows + nonFinite);
    }

    SideFigures withEnd(boolean failed) {
        return new SideFigures(streams, tokens, scoredTokens, logprobSum, endedStreams + 1, failedStreams + (failed ? 1 : 0), nonFiniteRows);
    }
}

package dev.tidestream.server.canary;

import java.util.ArrayList;
import java.util.List;

/**
 * What a shadow has seen. Immutable.
 *
 * @param streams that were compared
 * @param leftOut streams that were not, for want of KV memory
 * @param computedRows rows of the shadow, with those of tokens that came before a stream was compared
 * @param rows rows of logits that were compared
 * @param nonFiniteRows others, in which a logit of the shadow was not finite
 * @param maxDelta largest difference of a logit
 * @param klSum of the rows' divergences of the shadow's softmax from the live one's, in nats
 * @param maxKl the largest of these
 * @param otherTokens rows whose greedy token is another
 * @param otherStreams streams with such a row
 * @param firsts where they first differed, of the last streams that did
 * @param nanos that it took the decode thread
 */
public record ShadowFigures(
        long streams, long leftOut, long computedRows, long rows, long nonFiniteRows, double maxDelta, double klSum, double maxKl,
        long otherTokens, long otherStreams, List<First> firsts, long nanos) {
    /** Nothing yet. */
    public static final ShadowFigures NONE = new ShadowFigures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, List.of(), 0);

    private static final int FIRSTS_KEPT = 16;

    /**
     * Where a stream's greedy token first differed.
     *
     * @param stream the server's number of it
     * @param position in prompt and output, from 0
     * @param liveToken the likeliest of the live logits
     * @param shadowToken the likeliest of the shadow's
     */
    public record First(long stream, int position, int liveToken, int shadowToken) {}

    public ShadowFigures {
        firsts = List.copyOf(firsts);
    }

    /** NaN before any row was compared. */
    public double meanKl() {
        return klSum / rows;
    }

    ShadowFigures withStream() {
        return new ShadowFigures(streams + 1, leftOut, computedRows, rows, nonFiniteRows, maxDelta, klSum, maxKl, otherTokens, otherStreams,
                firsts, nanos);
    }

    ShadowFigures withoutStream() {
        return new ShadowFigures(streams, leftOut + 1, computedRows, rows, nonFiniteRows, maxDelta, klSum, maxKl, otherTokens, otherStreams,
                firsts, nanos);
    }

    ShadowFigures withCost(int computed, long took) {
        return new ShadowFigures(streams, leftOut, computedRows + computed, rows, nonFiniteRows, maxDelta, klSum, maxKl, otherTokens,
                otherStreams, firsts, nanos + took);
    }

    ShadowFigures with(LogitsDistance distance) {
        if (!distance.finite()) {
            return new ShadowFigures(streams, leftOut, computedRows, rows, nonFiniteRows + 1, maxDelta, klSum, maxKl, otherTokens,
                    otherStreams, firsts, nanos);
        }
        return new ShadowFigures(streams, leftOut, computedRows, rows + 1, nonFiniteRows, Math.max(maxDelta, distance.maxDelta()),
                klSum + distance.kl(), Math.max(maxKl, distance.kl()), otherTokens + (distance.sameToken() ? 0 : 1), otherStreams, firsts,
                nanos);
    }

    /** A stream's greedy token differs for the first time. */
    ShadowFigures with(First first) {
        List<First> last = new ArrayList<>(firsts.subList(firsts.size() < FIRSTS_KEPT ? 0 : 1, firsts.size()));
        last.add(first);
        return new ShadowFigures(streams, leftOut, computedRows, rows, nonFiniteRows, maxDelta, klSum, maxKl, otherTokens,
                otherStreams + 1, last, nanos);
    }
}

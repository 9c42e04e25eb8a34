package dev.tidestream.server.canary;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * When a canary ends by itself. What is empty is not looked at.
 *
 * @param minTokens scored tokens of a side, or compared rows of the shadow, before a mean of them counts
 * @param minStreams ended streams of the canary before their share counts
 * @param minMeanLogprob least mean log-probability of the canary's tokens
 * @param maxLogprobDrop most by which it may be below that of the current version's tokens
 * @param maxFailedShare most of the canary's ended streams that may have failed
 * @param maxKl most mean divergence of the version's logits from those of live streams, in nats; needs a shadow of the version
 * @param nonFinite whether one row of logits that are not finite is enough
 */
public record RollbackRule(
        int minTokens,
        int minStreams,
        OptionalDouble minMeanLogprob,
        OptionalDouble maxLogprobDrop,
        OptionalDouble maxFailedShare,
        OptionalDouble maxKl,
        boolean nonFinite) {
    /** Tokens before a mean counts, unless it is said. */
    public static final int DEFAULT_MIN_TOKENS = 200;
    /** Streams before a share counts, unless it is said. */
    public static final int DEFAULT_MIN_STREAMS = 10;

    /** Logits that are not finite, and nothing else. */
    public static final RollbackRule NON_FINITE_ONLY = new RollbackRule(DEFAULT_MIN_TOKENS, DEFAULT_MIN_STREAMS, OptionalDouble.empty(),
            OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(), true);

    /**
     * That it is broken.
     *
     * @param detail numbers and bound
     */
    record Broken(CanaryEnd why, String detail) {}

    /**
     * Whether it is broken. Pure.
     *
     * @param shadow of the canary's version; {@link ShadowFigures#NONE} if there is none
     */
    Optional<Broken> broken(SideFigures canary, SideFigures baseline, ShadowFigures shadow) {
        long nonFiniteRows = canary.nonFiniteRows() + shadow.nonFiniteRows();
        if (nonFinite && nonFiniteRows > 0) {
            return Optional.of(new Broken(CanaryEnd.NON_FINITE, "rows=%d, of_shadow=%d".formatted(nonFiniteRows, shadow.nonFiniteRows())));
        }
        boolean scored = canary.scoredTokens() >= minTokens;
        if (scored && minMeanLogprob.isPresent() && !(canary.meanLogprob() >= minMeanLogprob.getAsDouble())) {
            return broken(CanaryEnd.MEAN_LOGPROB, "mean_logprob", canary.meanLogprob(), minMeanLogprob.getAsDouble());
        }
        double drop = baseline.meanLogprob() - canary.meanLogprob();
        if (scored && baseline.scoredTokens() >= minTokens && maxLogprobDrop.isPresent() && !(drop <= maxLogprobDrop.getAsDouble())) {
            return broken(CanaryEnd.LOGPROB_DROP, "logprob_drop", drop, maxLogprobDrop.getAsDouble());
        }
        if (canary.endedStreams() >= minStreams && maxFailedShare.isPresent()
                && !(canary.failedShare() <= maxFailedShare.getAsDouble())) {
            return broken(CanaryEnd.FAILED_SHARE, "failed_share", canary.failedShare(), maxFailedShare.getAsDouble());
        }
        if (shadow.rows() >= minTokens && maxKl.isPresent() && !(shadow.meanKl() <= maxKl.getAsDouble())) {
            return broken(CanaryEnd.KL, "mean_kl", shadow.meanKl(), maxKl.getAsDouble());
        }
        return Optional.empty();
    }

    private static Optional<Broken> broken(CanaryEnd why, String what, double is, double bound) {
        return Optional.of(new Broken(why, "%s=%s, bound=%s".formatted(what, is, bound)));
    }
}

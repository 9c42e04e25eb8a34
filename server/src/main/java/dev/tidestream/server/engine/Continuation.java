package dev.tidestream.server.engine;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.WeightsWish;

/**
 * Where a stream that ran before goes on: its tokens so far are taken as they are, and the next event of it is the token after them,
 * with the bits that it would have had if the stream had never stopped.
 *
 * @param generated ids of the tokens so far {@code (n)}, in order; fewer than the request's {@code maxTokens}; not copied
 * @param weightsVersion the version of the weights it goes on with; {@link #NEWEST}: the one that is current then
 * @param atLeast the lowest version that it takes
 */
public record Continuation(int[] generated, long weightsVersion, long atLeast) {
    /** In the place of a version: whichever is current. */
    public static final long NEWEST = WeightsWish.ANY;

    /** A stream at its begin. */
    static final Continuation NONE = new Continuation(new int[0], NEWEST);

    /** One that takes any version where it takes the newest. */
    public Continuation(int[] generated, long weightsVersion) {
        this(generated, weightsVersion, NEWEST);
    }

    /** A stream at its begin that needs some weights. */
    public static Continuation of(WeightsWish wish) {
        return wish.equals(WeightsWish.NEWEST) ? NONE : new Continuation(new int[0], wish.version(), wish.atLeast());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Continuation c && Arrays.equals(generated, c.generated) && weightsVersion == c.weightsVersion && atLeast == c.atLeast;
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Arrays.hashCode(generated) + Long.hashCode(weightsVersion)) + Long.hashCode(atLeast);
    }

    @Override
    public String toString() {
        return "Continuation[tokens=%d, weights_version=%d]".formatted(generated.length, weightsVersion);
    }
}

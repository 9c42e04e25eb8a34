package dev.tidestream.server.engine;

import java.util.Arrays;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.WeightsWish;

/**
 * Where a stream that ran before goes on: its tokens so far are taken as they are, and the next event of it is the token after them,
 * with the bits that it would have had if the stream had never stopped.
 *
 * @param generated ids of the tokens so far {@code (n)}, in order; fewer than the request's {@code maxTokens}; not copied
 * @param weightsVersion the version of the weights it goes on with; {@link #NEWEST}: the one that is current then
 * @param atLeast the lowest version that it takes
 * @param origin what else made the tokens so far; null if it is not known, or not the same for all of them
 * @param adapterSha256 of the adapter that it was computed with; null if it had none, or any of its name will do
 */
public record Continuation(int[] generated, long weightsVersion, long atLeast, @Nullable Origin origin, @Nullable String adapterSha256) {
    /** In the place of a version: whichever is current. */
    public static final long NEWEST = WeightsWish.ANY;

    /** A stream at its begin. */
    static final Continuation NONE = new Continuation(new int[0], NEWEST);

    /**
     * What tokens of a pinned stream depend on beside its weights, its sampling and each other.
     *
     * @param headMode how logits were computed
     * @param promptSha256 of the tokens of the prompt, as {@link TokenDigest} makes it: a template may make others of the same messages
     */
    public record Origin(String headMode, String promptSha256) {
        /** Of the tokens of a run that has begun so; null if its request asked for no receipt. */
        public static @Nullable Origin of(TokenEvent.Accepted accepted) {
            return accepted.promptSha256() == null ? null : new Origin(accepted.headMode(), accepted.promptSha256());
        }
    }

    /** One of whose tokens nothing else is known. */
    public Continuation(int[] generated, long weightsVersion) {
        this(generated, weightsVersion, NEWEST, null, null);
    }

    /** One that takes any version where it takes the newest. */
    public Continuation(int[] generated, long weightsVersion, @Nullable Origin origin, @Nullable String adapterSha256) {
        this(generated, weightsVersion, NEWEST, origin, adapterSha256);
    }

    /** A stream at its begin that needs some weights. */
    public static Continuation of(WeightsWish wish) {
        return wish.equals(WeightsWish.NEWEST) ? NONE : new Continuation(new int[0], wish.version(), wish.atLeast(), null, null);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Continuation c && Arrays.equals(generated, c.generated) && weightsVersion == c.weightsVersion
                && atLeast == c.atLeast && Objects.equals(origin, c.origin) && Objects.equals(adapterSha256, c.adapterSha256);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(generated) + Objects.hash(weightsVersion, atLeast, origin, adapterSha256);
    }

    @Override
    public String toString() {
        return "Continuation[tokens=%d, weights_version=%d]".formatted(generated.length, weightsVersion);
    }
}

package dev.tidestream.server.engine;

import java.util.Arrays;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * Where a stream that ran before goes on: its tokens so far are taken as they are, and the next event of it is the token after them,
 * with the bits that it would have had if the stream had never stopped.
 *
 * @param generated ids of the tokens so far {@code (n)}, in order; fewer than the request's {@code maxTokens}; not copied
 * @param weightsVersion the version of the weights it goes on with; {@link #NEWEST}: the one that is current then
 * @param adapterSha256 of the adapter that it was computed with; null if it had none, or any of its name will do
 */
public record Continuation(int[] generated, long weightsVersion, @Nullable String adapterSha256) {
    /** In the place of a version: whichever is current. */
    public static final long NEWEST = -1;

    /** A stream at its begin. */
    static final Continuation NONE = new Continuation(new int[0], NEWEST, null);

    /** Of a stream of the model alone. */
    public Continuation(int[] generated, long weightsVersion) {
        this(generated, weightsVersion, null);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Continuation c && Arrays.equals(generated, c.generated) && weightsVersion == c.weightsVersion
                && Objects.equals(adapterSha256, c.adapterSha256);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(generated) + Objects.hash(weightsVersion, adapterSha256);
    }

    @Override
    public String toString() {
        return "Continuation[tokens=%d, weights_version=%d]".formatted(generated.length, weightsVersion);
    }
}

package dev.tidestream.server.cluster.route;

import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;

/**
 * What of a stream decides where it may go, and where it should. Immutable but for the array, which nobody writes.
 *
 * @param blocks hashes of the full blocks of its prompt, by {@link PrefixChain}; {@code (blocks)}, none of a short prompt
 * @param pinnedVersion the version of the weights that it needs; empty: any from {@code leastVersion} on
 * @param leastVersion the oldest version that a new stream may begin with: the one published, so that no client sees versions fall
 * @param adapter name of the adapter that it is computed with; null for the base alone
 */
public record RouteRequest(long[] blocks, OptionalLong pinnedVersion, long leastVersion, @Nullable String adapter) {

    /** A stream of the base with any version from {@code leastVersion} on. */
    public static RouteRequest newest(long[] blocks, long leastVersion) {
        return new RouteRequest(blocks, OptionalLong.empty(), leastVersion, null);
    }
}

package dev.tidestream.server.canary;

import java.util.Locale;

/**
 * A canary.
 *
 * @param weightsVersion that some new streams begin with
 * @param share of them, above 0, at most 1
 * @param by what decides which
 * @param rule that ends it
 */
public record CanarySpec(long weightsVersion, double share, By by, RollbackRule rule) {

    /** What decides whether a new stream belongs to a canary. */
    public enum By {
        /** Its seed: the same request with the same seed is always on the same side. */
        SEED,
        /** Its API key, or without one the client's address: whoever shows the same is always on the same side. */
        KEY;

        /** As it stands on the wire. */
        public String wireName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public CanarySpec {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be above 0 and at most 1: " + share);
        }
    }

    /**
     * Whether a new stream begins with the version. Pure.
     *
     * @param seed of its sampling
     * @param account whose it is; equal ones have equal texts
     */
    public boolean takes(long seed, Object account) {
        long number = switch (by) {
            case SEED -> seed;
            case KEY -> StreamShare.number(account.toString());
        };
        return StreamShare.has(number, weightsVersion, share);
    }
}

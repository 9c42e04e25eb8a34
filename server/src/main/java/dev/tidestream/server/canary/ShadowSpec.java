package dev.tidestream.server.canary;

/**
 * A shadow.
 *
 * @param weightsVersion whose logits are computed
 * @param share of live streams, above 0, at most 1
 */
public record ShadowSpec(long weightsVersion, double share) {
    public ShadowSpec {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be above 0 and at most 1: " + share);
        }
    }

    /** Whether a stream is compared. Pure. */
    boolean takes(long stream) {
        return StreamShare.has(stream, weightsVersion, share);
    }
}

package dev.tidestream.server.canary;

/**
 * What a shadow may cost.
 *
 * @param maxStreams most that are compared at once
 * @param maxRows most rows that it computes in a step
 * @param kvBytes KV memory of its own, taken as it is needed
 */
public record ShadowLimits(int maxStreams, int maxRows, long kvBytes) {
    /** 4 streams, 16 rows, 64 MiB. */
    public static final ShadowLimits DEFAULT = new ShadowLimits(4, 16, 64L << 20);

    public ShadowLimits {
        if (maxStreams < 1 || maxRows < 1 || kvBytes < 1) {
            throw new IllegalArgumentException("limits of a shadow must be positive: max_streams=%d, max_rows=%d, kv_bytes=%d"
                    .formatted(maxStreams, maxRows, kvBytes));
        }
    }
}

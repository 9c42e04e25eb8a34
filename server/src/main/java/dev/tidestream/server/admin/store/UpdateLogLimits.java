package dev.tidestream.server.admin.store;

/**
 * How much an {@link UpdateLog} keeps; more is refused.
 *
 * @param maxVersions committed versions, rollbacks included
 * @param maxTotalBytes payloads of all versions and of those being received
 * @param maxSpools payloads being received at the same time
 */
public record UpdateLogLimits(int maxVersions, long maxTotalBytes, int maxSpools) {

    /** 10,000 versions, 64 GiB, 4 at a time. */
    public static final UpdateLogLimits DEFAULT = new UpdateLogLimits(10_000, 64L << 30, 4);

    public UpdateLogLimits {
        if (maxVersions < 1 || maxTotalBytes < 1 || maxSpools < 1) {
            throw new IllegalArgumentException("limits must be positive: maxVersions=%d, maxTotalBytes=%d, maxSpools=%d"
                    .formatted(maxVersions, maxTotalBytes, maxSpools));
        }
    }
}

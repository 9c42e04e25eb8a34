package dev.tidestream.server.admin.store;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.open.OpenLimits;

/**
 * How much an {@link UpdateLog} keeps; more is refused.
 *
 * @param maxVersions committed versions, rollbacks included
 * @param maxTotalBytes payloads of all versions and of those being received
 * @param maxSpools payloads being received at the same time
 * @param open of transactions that are not committed
 */
public record UpdateLogLimits(int maxVersions, long maxTotalBytes, int maxSpools, OpenLimits open) {

    /** 10,000 versions, 64 GiB, 4 at a time. */
    public static final UpdateLogLimits DEFAULT = new UpdateLogLimits(10_000, 64L << 30, 4, OpenLimits.DEFAULT);

    /** With the usual limits of transactions that are open. */
    public UpdateLogLimits(int maxVersions, long maxTotalBytes, int maxSpools) {
        this(maxVersions, maxTotalBytes, maxSpools, OpenLimits.DEFAULT);
    }

    public UpdateLogLimits {
        if (maxVersions < 1 || maxTotalBytes < 1 || maxSpools < 1) {
            throw new IllegalArgumentException("limits must be positive: maxVersions=%d, maxTotalBytes=%d, maxSpools=%d"
                    .formatted(maxVersions, maxTotalBytes, maxSpools));
        }
    }

    /** @throws AdminException {@code too_many_versions} if so many versions leave no room for one more */
    void requireAnother(int versions) throws AdminException {
        if (versions >= maxVersions) {
            throw new AdminException(AdminErrorCode.TOO_MANY_VERSIONS,
                    "too many versions are kept: versions=%d, limit=%d".formatted(versions, maxVersions));
        }
    }

    /**
     * Refuses a payload that would be too much beside what is there.
     *
     * @param keptBytes of committed payloads
     * @param spools payloads being received
     * @param spoolBytes that those will have
     * @throws AdminException {@code busy}, {@code too_many_bytes}
     */
    void requireRoom(long payloadBytes, long keptBytes, int spools, long spoolBytes) throws AdminException {
        if (spools >= maxSpools) {
            throw new AdminException(AdminErrorCode.BUSY,
                    "too many payloads are being received: payloads=%d, limit=%d".formatted(spools, maxSpools));
        }
        if (payloadBytes > maxTotalBytes - keptBytes - spoolBytes) {
            throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                    "payloads would take too many bytes: byte_length=%d, kept_bytes=%d, receiving_bytes=%d, limit=%d"
                            .formatted(payloadBytes, keptBytes, spoolBytes, maxTotalBytes));
        }
    }

    /** @throws AdminException {@code disk_full} if the disk has no room for a payload */
    static void requireDisk(long payloadBytes, long usableBytes) throws AdminException {
        if (payloadBytes > usableBytes) {
            throw new AdminException(
                    AdminErrorCode.DISK_FULL, "disk too full: byte_length=%d, usable_bytes=%d".formatted(payloadBytes, usableBytes));
        }
    }
}

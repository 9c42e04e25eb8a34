package dev.tidestream.server.admin.build;

import java.time.Duration;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.epoch.CurrentEpoch;

/**
 * How many versions of the weights, and head modes of one version, may be alive at once, and what happens when there are as many.
 *
 * @param maxLive at least 2: the current one and the next
 * @param patience how long a change waits for an old version to end; zero refuses at once
 */
public record VersionLimit(int maxLive, Duration patience) {

    public VersionLimit {
        if (maxLive < 2 || patience.isNegative()) {
            throw new IllegalArgumentException("at least 2 live versions, and patience that is not negative: max_live=%d, patience=%s"
                    .formatted(maxLive, patience));
        }
    }

    /** @throws AdminException {@code too_many_versions}, at once or after waiting; {@code shutting_down} if interrupted */
    void require(CurrentEpoch epochs) throws AdminException {
        try {
            if (!epochs.awaitFewerThan(maxLive, patience)) {
                throw new AdminException(
                        AdminErrorCode.TOO_MANY_VERSIONS,
                        "old versions are still in use by streams: live_versions=%d, limit=%d, waited_ms=%d"
                                .formatted(epochs.liveEpochs(), maxLive, patience.toMillis()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AdminException(AdminErrorCode.SHUTTING_DOWN, "interrupted while waiting for old versions to end", e);
        }
    }
}

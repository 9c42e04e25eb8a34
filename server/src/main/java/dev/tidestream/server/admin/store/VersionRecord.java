package dev.tidestream.server.admin.store;

import java.time.Instant;

/** One committed version of the weights; immutable and durable. */
public sealed interface VersionRecord {

    /** Rises by one with every record. */
    long weightsVersion();

    /** The version that was current before. */
    long baseVersion();

    /** When it was committed, by the server's clock, to the millisecond. */
    Instant committedAt();

    /**
     * A tensor changed.
     *
     * @param payloadFile name within the data directory
     */
    record Updated(long weightsVersion, UpdateSpec spec, String payloadFile, Instant committedAt) implements VersionRecord {
        @Override
        public long baseVersion() {
            return spec.baseVersion();
        }
    }

    /**
     * The weights became those of an older version again.
     *
     * @param toVersion less than {@code baseVersion}
     */
    record RolledBack(long weightsVersion, long baseVersion, long toVersion, Instant committedAt) implements VersionRecord {}
}

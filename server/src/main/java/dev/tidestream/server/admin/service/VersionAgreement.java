package dev.tidestream.server.admin.service;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.VersionRecord;

/**
 * With whom a version is agreed on before it is committed here. It is asked when the version is built and nothing but its commit is left,
 * by the one thread that makes changes, which waits.
 */
@FunctionalInterface
public interface VersionAgreement {
    /** With nobody: what is committed here counts. */
    VersionAgreement ALONE = new VersionAgreement() {
        @Override
        public Instant agree(VersionRecord version, Optional<Path> payload, Supplier<String> resultSha256) {
            return version.committedAt();
        }

        @Override
        public void requireHolding() {}
    };

    /**
     * Agrees on a version.
     *
     * @param version as it is to be committed
     * @param payload its file, durable, if it has one
     * @param resultSha256 of the tensors that came of it; computed if it is asked for
     * @return when it was committed, by the clock of whoever was first
     * @throws AdminException {@code stale_base_version}, {@code update_conflict}, {@code no_quorum}, {@code internal}; then it is not
     *     committed here
     */
    Instant agree(VersionRecord version, Optional<Path> payload, Supplier<String> resultSha256) throws AdminException;

    /**
     * Refuses a version that is to be held back; only a server by itself can do that.
     *
     * @throws AdminException {@code invalid_value}
     */
    default void requireHolding() throws AdminException {
        throw new AdminException(AdminErrorCode.INVALID_VALUE,
                "nodes of a cluster publish a version at once, so none can be held: publish=hold");
    }
}

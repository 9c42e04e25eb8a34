package dev.tidestream.server.admin.store;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** One committed version of the weights; immutable and durable. */
public sealed interface VersionRecord {

    /** Rises by one with every record. */
    long weightsVersion();

    /** The version that was current before. */
    long baseVersion();

    /** When it was committed, by the server's clock, to the millisecond. */
    Instant committedAt();

    /** The same, committed at another time. */
    VersionRecord at(Instant committedAt);

    /** The record as JSON: the entry of the data directory's manifest. */
    default byte[] toJson() {
        return Manifest.toBytes(this);
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static VersionRecord ofJson(byte[] json) {
        return Manifest.parseVersion(json);
    }

    /** A version that has changed tensors. */
    sealed interface WithPayload extends VersionRecord {
        /** The sender's name of the update. */
        String updateId();

        /** Name of the payload's file within the data directory. */
        String payloadFile();

        /** Of the payload. */
        String sha256();

        /** Of the payload. */
        long byteLength();

        /** What it changes, in the order of application. */
        List<TensorChange> changes();
    }

    /**
     * A tensor changed.
     *
     * @param payloadFile name within the data directory
     */
    record Updated(long weightsVersion, UpdateSpec spec, String payloadFile, Instant committedAt) implements WithPayload {
        /** What follows the version that it changes. */
        public static Updated of(UpdateSpec spec, Instant committedAt) {
            long version = spec.baseVersion() + 1;
            return new Updated(version, spec, Manifest.payloadName(version, spec.sha256()), committedAt);
        }

        @Override
        public Updated at(Instant time) {
            return new Updated(weightsVersion, spec, payloadFile, time);
        }

        @Override
        public long baseVersion() {
            return spec.baseVersion();
        }

        @Override
        public String updateId() {
            return spec.updateId();
        }

        @Override
        public String sha256() {
            return spec.sha256();
        }

        @Override
        public long byteLength() {
            return spec.byteLength();
        }

        @Override
        public List<TensorChange> changes() {
            return List.of(new TensorChange(spec.tensor(), ChangeKind.of(spec.kind()), spec.shape(), spec.dtype(), spec.rank(), 0,
                    spec.byteLength(), Optional.empty()));
        }
    }

    /**
     * Tensors changed together.
     *
     * @param payloadFile name within the data directory
     */
    record Transaction(long weightsVersion, TransactionSpec spec, String payloadFile, Instant committedAt) implements WithPayload {
        /** What follows the version that it changes. */
        public static Transaction of(TransactionSpec spec, Instant committedAt) {
            long version = spec.baseVersion() + 1;
            return new Transaction(version, spec, Manifest.payloadName(version, spec.sha256()), committedAt);
        }

        @Override
        public Transaction at(Instant time) {
            return new Transaction(weightsVersion, spec, payloadFile, time);
        }

        @Override
        public long baseVersion() {
            return spec.baseVersion();
        }

        @Override
        public String updateId() {
            return spec.updateId();
        }

        @Override
        public String sha256() {
            return spec.sha256();
        }

        @Override
        public long byteLength() {
            return spec.byteLength();
        }

        @Override
        public List<TensorChange> changes() {
            return spec.changes();
        }
    }

    /**
     * The weights became those of an older version again.
     *
     * @param toVersion less than {@code baseVersion}
     */
    record RolledBack(long weightsVersion, long baseVersion, long toVersion, Instant committedAt) implements VersionRecord {
        @Override
        public RolledBack at(Instant time) {
            return new RolledBack(weightsVersion, baseVersion, toVersion, time);
        }
    }
}

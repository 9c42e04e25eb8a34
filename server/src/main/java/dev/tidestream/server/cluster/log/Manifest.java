package dev.tidestream.server.cluster.log;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What becomes a version, as it stands in the log: small, since what it is made of is named by checksum.
 *
 * @param updateId the sender's name of the update; unique in the log
 * @param baseVersion that must be the newest when it is committed
 * @param label the sender's words for it; may be empty
 * @param baseSha256 of the model that all versions are changes of
 * @param parts blobs that a version is made of, in order; none for a rollback
 * @param resultSha256 over the checksums of all tensors that came of it: what every node must get
 * @param rollbackTo the version whose weights become current again, if it is a rollback
 * @param proposer the node that built it first
 * @param committedAt by the proposer's clock, to the millisecond
 */
public record Manifest(
        String updateId,
        long baseVersion,
        String label,
        String baseSha256,
        List<Part> parts,
        String resultSha256,
        OptionalLong rollbackTo,
        String proposer,
        Instant committedAt) {

    /** The version that is the model file, without any update. */
    public static final long BASE_VERSION = 1;

    /**
     * A blob of a version.
     *
     * @param sha256 64 lower-case hexadecimal digits
     * @param bytes of it
     * @param kind what it is
     */
    public record Part(String sha256, long bytes, PartKind kind) {}

    /** What a blob is to a version. */
    public enum PartKind {
        /** What is to be changed: the record of the update log, as JSON. */
        RECORD,
        /** The values. */
        PAYLOAD
    }

    public Manifest {
        parts = List.copyOf(parts);
    }

    /** The part of a kind, if there is one. */
    public Optional<Part> part(PartKind kind) {
        return parts.stream().filter(part -> part.kind() == kind).findFirst();
    }

    /** Whether both are the same update, whoever proposes it and when. */
    public boolean sameUpdate(Manifest other) {
        return updateId.equals(other.updateId) && baseVersion == other.baseVersion && label.equals(other.label)
                && baseSha256.equals(other.baseSha256) && parts.equals(other.parts) && resultSha256.equals(other.resultSha256)
                && rollbackTo.equals(other.rollbackTo);
    }
}

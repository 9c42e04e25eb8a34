package dev.tidestream.server.admin;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;

/** Who knows the versions of the weights. Worker threads; calls may block. An {@link AdminException} means that nothing has changed. */
public interface VersionsDesk {

    /**
     * A version.
     *
     * @param parent whose weights it was made of; none of the model file
     * @param kind {@code base}, {@code update}, {@code transaction} or {@code rollback}
     * @param updateId of an update; otherwise empty
     * @param label the sender's words; may be empty
     * @param created empty of the model file
     * @param bytes of what is kept of it on disk
     * @param to of a rollback: the version whose weights it has
     * @param checksums SHA-256 of tensors that it has changed, as far as they are kept; see {@code TensorDigest}
     * @param tensors that it has changed
     * @param live whether it is in memory
     * @param pins streams that hold it
     * @param held whether it waits to be published
     */
    record VersionInfo(
            long version, OptionalLong parent, String kind, String updateId, String label, Optional<Instant> created, long bytes,
            OptionalLong to, SequencedMap<String, String> checksums, List<String> tensors, boolean live, boolean current, int pins,
            boolean held) {
        public VersionInfo {
            tensors = List.copyOf(tensors);
        }
    }

    /**
     * What came of a verification.
     *
     * @param tensors that were compared
     * @param different those whose bits are not what the model file and the updates make
     * @param derived {@code none} if the head has no layout of its own, otherwise {@code equal} or {@code different}
     */
    record Verified(long version, int tensors, long bytes, List<String> different, String derived) {
        public Verified {
            different = List.copyOf(different);
        }

        /** Whether all is as it should be. */
        public boolean isSound() {
            return different.isEmpty() && !derived.equals("different");
        }
    }

    /** Versions from one on, oldest first, so many at most. */
    List<VersionInfo> list(long from, int limit);

    /** @throws AdminException {@code unknown_version} */
    VersionInfo find(long version) throws AdminException;

    /**
     * Computes the tensors of a version anew, from the model file and the updates on disk, and compares them with those in memory, and
     * with their kept checksums; and the layout that the head has derived of them.
     *
     * @throws AdminException {@code unknown_version}, {@code budget_exceeded}, {@code busy}
     */
    Verified verify(long version) throws AdminException;

    /**
     * Makes a version with the weights of an older one.
     *
     * @return its number
     * @throws AdminException {@code unknown_version}, {@code busy}, {@code no_data_dir}, {@code budget_exceeded}
     */
    long rollback(long to) throws AdminException;
}

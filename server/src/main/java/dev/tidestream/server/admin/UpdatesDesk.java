package dev.tidestream.server.admin;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;

/**
 * Who takes updates of many tensors: opened, sent in parts, committed as one version or not at all. Worker threads; calls may block on the
 * disk, and {@link #commit} until other changes are made. An {@link AdminException} means that nothing has changed.
 */
public interface UpdatesDesk {

    /** What is to become of the head of a model that ties it to the embedding. */
    enum Tied {
        /** The head's name is another name of the embedding. */
        KEEP,
        /** The head becomes a matrix of its own where the update makes it one. */
        UNTIE,
        /** Whatever would make the two differ is refused. */
        ERROR
    }

    /**
     * A transaction to be opened.
     *
     * @param updateId the sender's name of it, which no other update may have
     * @param baseVersion that must be current when it is opened and when it is committed
     * @param label the sender's words for the version; may be empty
     * @param tied empty for what goes with the model: a head of the embedding's numbers that its configuration says is another matrix
     *     becomes one, any other is kept
     * @param hold whether the version is to be published later, see {@link TrialsDesk#publish}
     */
    record Opening(String updateId, long baseVersion, String label, Optional<Tied> tied, boolean hold) {

        /** One whose version is published as soon as it is committed. */
        public Opening(String updateId, long baseVersion, String label, Optional<Tied> tied) {
            this(updateId, baseVersion, label, tied, false);
        }
    }

    /** A part that is kept. */
    record PartKept(int number, String sha256, long bytes) {}

    /**
     * A transaction.
     *
     * @param version that it has become, if it is committed; then there are no parts any more
     */
    record UpdateState(String updateId, long baseVersion, String label, List<PartKept> parts, OptionalLong version) {
        public UpdateState {
            parts = List.copyOf(parts);
        }
    }

    /**
     * What a commit has made.
     *
     * @param bytes of the payload that is kept
     * @param changed rows with at least one other bit, by tensor
     * @param repeated it was committed before
     * @param held whether it waits to be published
     */
    record Committed(
            long version, String label, long bytes, SequencedMap<String, Long> changed, boolean repeated, boolean held) {}

    /** A part on its way in; calls come one after the other, {@link #close} at the end in any case. */
    interface PartUpload extends AutoCloseable {
        /** Takes a chunk, and consumes it. */
        void accept(ByteBuffer chunk) throws AdminException;

        /** All bytes are there: makes them durable. */
        void finish() throws AdminException;

        @Override
        void close();
    }

    /** What came of opening a transaction. */
    record Opened(UpdateState state, boolean isNew) {}

    /**
     * Opens a transaction, or finds it.
     *
     * @throws AdminException {@code stale_base_version}, {@code update_conflict}, {@code busy}, {@code no_data_dir}, {@code disk_full}
     */
    Opened open(Opening opening) throws AdminException;

    /** @throws AdminException {@code unknown_update} */
    UpdateState find(String updateId) throws AdminException;

    /**
     * Begins to receive a part.
     *
     * @param number from 0
     * @param sha256 64 lower-case hexadecimal digits
     * @return nothing if the very same part is kept already
     * @throws AdminException {@code unknown_update}, {@code too_many_bytes}, {@code invalid_value}, {@code busy}, {@code disk_full}
     */
    Optional<PartUpload> receive(String updateId, int number, String sha256, long byteLength) throws AdminException;

    /**
     * Makes all parts one version; done again, it says what was done.
     *
     * @param parts how many there are
     * @param manifestSha256 of a line for each part, in order: its number, a space, its SHA-256, a line feed
     */
    Committed commit(String updateId, OptionalInt parts, Optional<String> manifestSha256) throws AdminException;

    /**
     * Gives a transaction up.
     *
     * @throws AdminException {@code unknown_update}, {@code busy}
     */
    void abort(String updateId) throws AdminException;
}

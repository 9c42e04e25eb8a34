package dev.tidestream.server.weights.trainer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.VersionsDesk;

/**
 * What trainers push by the words of other servers: a transaction, begun, filled and finished. There is one at a time; a trainer that
 * begins another has lost the one before, which is given up. Threads that may block; one change at a time.
 */
final class TrainerUpdates {
    private static final Logger log = LoggerFactory.getLogger(TrainerUpdates.class);
    private static final int CHUNK_BYTES = 256 << 10;

    private final UpdatesDesk updates;
    private final VersionsDesk versions;
    private final LongSupplier current;
    private @Nullable String begun; // the name of the transaction
    private volatile @Nullable Named named;

    /** What a trainer has called a version that was there already. */
    private record Named(long version, String name) {}

    /** @param current the version that is served */
    TrainerUpdates(UpdatesDesk updates, VersionsDesk versions, LongSupplier current) {
        this.updates = updates;
        this.versions = versions;
        this.current = current;
    }

    /**
     * Opens a transaction for the current version.
     *
     * @return its name
     */
    synchronized String start() throws AdminException {
        String before = begun;
        if (before != null) {
            begun = null;
            giveUp(before);
        }
        String id = open("");
        begun = id;
        return id;
    }

    private String open(String label) throws AdminException {
        String id = "trainer-" + UUID.randomUUID();
        updates.open(new UpdatesDesk.Opening(id, current.getAsLong(), label, Optional.empty()));
        return id;
    }

    private void giveUp(String id) {
        try {
            updates.abort(id);
        } catch (AdminException e) { // it has ended by itself; what stays open is given up after its time
            log.debug("a trainer's update could not be given up: update_id={}", id, e);
        }
    }

    private String required() throws AdminException {
        String now = begun;
        if (now == null) {
            throw new AdminException(AdminErrorCode.UNKNOWN_UPDATE, "no update was started: POST /start_weight_update first");
        }
        return now;
    }

    /** Behind all parts that are there, those included that came another way. */
    private int next(String id) throws AdminException {
        return updates.find(id).parts().stream().mapToInt(UpdatesDesk.PartKept::number).max().orElse(-1) + 1;
    }

    /**
     * Adds parts to what was started.
     *
     * @return how many it has now
     */
    synchronized int add(List<Path> files) throws AdminException {
        return add(required(), files);
    }

    /** The same with the bytes of a safetensors file. */
    synchronized int add(byte[] file) throws AdminException {
        String id = required();
        Optional<UpdatesDesk.PartUpload> upload =
                updates.receive(id, next(id), HexFormat.of().formatHex(sha256().digest(file)), file.length);
        if (upload.isPresent()) {
            try (UpdatesDesk.PartUpload part = upload.get()) {
                part.accept(ByteBuffer.wrap(file));
                part.finish();
            }
        }
        return updates.find(id).parts().size();
    }

    private int add(String id, List<Path> files) throws AdminException {
        for (Path file : files) {
            try {
                add(id, file);
            } catch (IOException e) {
                throw new AdminException(
                        AdminErrorCode.INVALID_FILE, "cannot be read: file=%s: %s".formatted(file.getFileName(), Reasons.of(e)), e);
            }
        }
        return updates.find(id).parts().size();
    }

    private void add(String id, Path file) throws IOException, AdminException {
        byte[] chunk = new byte[CHUNK_BYTES];
        String sha256 = sha256(file, chunk);
        Optional<UpdatesDesk.PartUpload> upload = updates.receive(id, next(id), sha256, Files.size(file));
        if (upload.isPresent()) {
            try (UpdatesDesk.PartUpload part = upload.get(); InputStream in = Files.newInputStream(file)) {
                for (int read = in.read(chunk); read > 0; read = in.read(chunk)) {
                    part.accept(ByteBuffer.wrap(chunk, 0, read));
                }
                part.finish();
            }
        }
    }

    private static String sha256(Path file, byte[] chunk) throws IOException {
        MessageDigest digest = sha256();
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(chunk); read > 0; read = in.read(chunk)) {
                digest.update(chunk, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /**
     * Makes what was started a version. What is refused stays started.
     *
     * @param name of the version, for people; may be empty
     */
    synchronized UpdatesDesk.Committed finish(String name) throws AdminException {
        String id = required();
        if (!name.isEmpty()) {
            updates.label(id, name);
        }
        UpdatesDesk.Committed committed = updates.commit(id, OptionalInt.empty(), Optional.empty());
        begun = null;
        return committed;
    }

    /** Makes files a version, or nothing. */
    synchronized UpdatesDesk.Committed push(List<Path> files, String name) throws AdminException {
        String one = open(name);
        boolean done = false;
        try {
            add(one, files);
            UpdatesDesk.Committed committed = updates.commit(one, OptionalInt.empty(), Optional.empty());
            done = true;
            return committed;
        } finally {
            if (!done) {
                giveUp(one);
            }
        }
    }

    /** Calls the current version something until there is another, or the server is started anew. */
    void name(String name) {
        named = new Named(current.getAsLong(), name);
    }

    /** What the current version is called: by a trainer, by its label, or else its number. */
    String name() throws AdminException {
        long version = current.getAsLong();
        Named now = named;
        if (now != null && now.version == version) {
            return now.name;
        }
        String label = versions.find(version).label();
        return label.isEmpty() ? String.valueOf(version) : label;
    }
}

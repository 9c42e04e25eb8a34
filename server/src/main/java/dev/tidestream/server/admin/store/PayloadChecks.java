package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * Whether committed payloads have the checksums that they were committed with. Reading all of a long history at each start would take as
 * long as the history is, so a payload that a checkpoint makes unnecessary is read when a rollback needs it. Each is read once. Any
 * thread.
 */
final class PayloadChecks {
    private final Storage storage;
    private final Set<Long> sound = ConcurrentHashMap.newKeySet(); // versions

    PayloadChecks(Storage storage) {
        this.storage = storage;
    }

    /**
     * Reads all payloads that are newer than a version.
     *
     * @param progress told of stage {@code checking}, in bytes
     * @throws DataDirException if one is damaged
     */
    void requireAllSince(long version, Manifest manifest, AdminDesk.ProgressSink progress) throws IOException, DataDirException {
        List<VersionRecord.WithPayload> updates =
                VersionHistory.payloads(manifest).stream().filter(update -> update.weightsVersion() > version).toList();
        long allBytes = updates.stream().mapToLong(update -> update.byteLength()).sum();
        long doneBytes = 0;
        for (VersionRecord.WithPayload update : updates) {
            if (!isSound(update)) {
                throw damaged(storage, update, "its SHA-256 is another one than " + update.sha256());
            }
            doneBytes += update.byteLength();
            progress.report("checking", doneBytes, allBytes);
        }
    }

    /**
     * Reads these payloads, unless that was done before.
     *
     * @throws AdminException {@code internal} if one is damaged
     */
    void requireSound(List<VersionRecord.WithPayload> updates) throws AdminException {
        for (VersionRecord.WithPayload update : updates) {
            boolean isSound;
            try {
                isSound = isSound(update);
            } catch (IOException e) {
                throw new AdminException(
                        AdminErrorCode.INTERNAL, "payload of version %s cannot be read".formatted(update.weightsVersion()), e);
            }
            if (!isSound) {
                throw new AdminException(AdminErrorCode.INTERNAL, "payload of version %s is damaged: its SHA-256 is another one than %s"
                        .formatted(update.weightsVersion(), update.sha256()));
            }
        }
    }

    private boolean isSound(VersionRecord.WithPayload update) throws IOException {
        if (sound.contains(update.weightsVersion())) {
            return true;
        }
        try (InputStream in = storage.open(update.payloadFile())) {
            if (!Sha256.of(in).equals(update.sha256())) {
                return false;
            }
        }
        sound(update);
        return true;
    }

    /** A payload was hashed on its way here. */
    void sound(VersionRecord.WithPayload update) {
        sound.add(update.weightsVersion());
    }

    static DataDirException damaged(Storage storage, VersionRecord.WithPayload update, String reason) {
        return new DataDirException(
                DataDirException.Problem.PAYLOAD_DAMAGED,
                "%s: payload of version %s is damaged: %s: %s"
                        .formatted(storage, update.weightsVersion(), update.payloadFile(), reason));
    }
}

package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.Storage;

/** The manifest on disk: replaced as a whole, in one atomic rename; see {@link UpdateLog}. One thread at a time; any reads the newest. */
final class ManifestFile {
    private static final Logger log = LoggerFactory.getLogger(ManifestFile.class);

    private final Storage storage;
    private volatile Manifest manifest;
    private @Nullable String broken;

    /** @param manifest that is on disk */
    ManifestFile(Storage storage, Manifest manifest) {
        this.storage = storage;
        this.manifest = manifest;
    }

    /** The newest. Any thread. */
    Manifest current() {
        return manifest;
    }

    /** @throws AdminException {@code internal} if nothing can be committed until the directory is opened again */
    void requireWhole() throws AdminException {
        if (broken != null) {
            throw new AdminException(AdminErrorCode.INTERNAL, "the update log accepts nothing until the server is restarted: " + broken);
        }
    }

    /** Commits a manifest and the payload that it names; if it throws, as {@link #replace(Manifest)}, and the payload is gone. */
    void replace(Manifest next, String spoolFile, String payloadFile) throws IOException {
        try {
            storage.rename(spoolFile, payloadFile);
            storage.force();
            replace(next);
        } catch (IOException e) {
            if (broken == null) {
                remove(spoolFile);
                remove(payloadFile);
            }
            throw e;
        }
    }

    /** Commits the next manifest; if it throws, the one on disk is the old one, or else nothing is accepted any more. */
    void replace(Manifest next) throws IOException {
        Manifest old = manifest;
        try {
            writeTemp(storage, next.toBytes());
        } catch (IOException e) {
            remove(UpdateLog.MANIFEST_TEMP);
            throw e;
        }
        try {
            storage.rename(UpdateLog.MANIFEST_TEMP, UpdateLog.MANIFEST);
            storage.force();
        } catch (IOException e) {
            takeBack(old, e);
            throw e;
        }
        manifest = next;
    }

    private void takeBack(Manifest old, IOException cause) {
        try {
            byte[] bytes = old.toBytes();
            boolean replaced;
            try (InputStream in = storage.open(UpdateLog.MANIFEST)) {
                replaced = !Arrays.equals(in.readAllBytes(), bytes);
            }
            if (replaced) {
                writeTemp(storage, bytes);
                storage.rename(UpdateLog.MANIFEST_TEMP, UpdateLog.MANIFEST);
                storage.force();
            } else {
                storage.delete(UpdateLog.MANIFEST_TEMP);
            }
        } catch (IOException e) {
            cause.addSuppressed(e);
            broken = "a failed commit could not be taken back: " + Reasons.of(e);
            log.error("update log is read-only until restart: {}", storage, cause);
        }
    }

    /** Removes a file of a refused change, if it is there. Left behind, it is harmless: no manifest names it. */
    void remove(String name) {
        try {
            storage.delete(name);
        } catch (IOException e) {
            log.warn("file could not be removed, the next start will: file={}", name, e);
        }
    }

    static void writeTemp(Storage storage, byte[] manifest) throws IOException {
        try (Storage.Sink sink = storage.create(UpdateLog.MANIFEST_TEMP)) {
            sink.write(ByteBuffer.wrap(manifest));
            sink.force();
        }
    }
}

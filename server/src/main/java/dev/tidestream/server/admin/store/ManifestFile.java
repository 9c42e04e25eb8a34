package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
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

    /** Why nothing can be committed until the directory is opened again, if so. */
    Optional<String> broken() {
        return Optional.ofNullable(broken);
    }

    /** Commits a record; if it throws, the manifest on disk is the old one, or else this is {@linkplain #broken broken}. */
    void append(VersionRecord record) throws IOException {
        replace(manifest.with(record));
    }

    /** Commits another manifest; if it throws, the one on disk is the old one, or else this is {@linkplain #broken broken}. */
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

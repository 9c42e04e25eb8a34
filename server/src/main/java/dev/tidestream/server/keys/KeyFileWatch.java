package dev.tidestream.server.keys;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;

/**
 * Reads a file of keys again when it has changed, and puts its keys in force. A file that is of no use, or is gone, changes nothing but the
 * log: the keys there are stay in force. Any thread that may block.
 */
public final class KeyFileWatch {
    private static final Logger log = LoggerFactory.getLogger(KeyFileWatch.class);

    private final KeyFile file;
    private final ApiKeys keys;
    private @Nullable Stamp seen;

    /** By what a file is known to be another one. */
    private record Stamp(FileTime time, long bytes, @Nullable Object file) {
        static @Nullable Stamp of(Path path) throws IOException {
            try {
                BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
                return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
            } catch (NoSuchFileException _) {
                return null;
            }
        }
    }

    private KeyFileWatch(KeyFile file, ApiKeys keys, @Nullable Stamp seen) {
        this.file = file;
        this.keys = keys;
        this.seen = seen;
    }

    /**
     * Reads a file whose keys are in force from now on.
     *
     * @throws IOException if it cannot be read
     * @throws KeyFileException if it is of no use
     */
    public static KeyFileWatch of(KeyFile file) throws IOException, KeyFileException {
        Stamp before = Stamp.of(file.path()); // before it is read: what changes meanwhile is read again
        return new KeyFileWatch(file, ApiKeys.of(file.read()), before);
    }

    /** The keys in force. */
    public ApiKeys keys() {
        return keys;
    }

    /** The file. */
    public Path path() {
        return file.path();
    }

    /** Reads the file again if it has changed; true if its keys are in force now. */
    public synchronized boolean look() {
        try {
            Stamp now = Stamp.of(file.path());
            if (now == null ? seen == null : now.equals(seen)) {
                return false;
            }
            seen = now;
            KeyRing ring = file.read();
            keys.replace(ring);
            log.info("API keys were read again: file={}, keys={}", file.path(), ring.keys().size());
            return true;
        } catch (KeyFileException e) {
            log.error("API keys stay as they are, since their file is of no use: {}", e.getMessage());
        } catch (IOException e) {
            log.error("API keys stay as they are, since their file cannot be read: {}: {}", file.path(), Reasons.of(e));
        } catch (RuntimeException e) {
            log.error("API keys stay as they are: file={}", file.path(), e);
        }
        return false;
    }
}

package dev.tidestream.server.keys;

import java.io.IOException;
import java.nio.file.Path;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;

/**
 * Reads a file of keys again when it is told to, and puts its keys in force. A file that is of no use, or is gone, changes nothing but the
 * log: the keys there are stay in force. Any thread that may block.
 */
public final class KeyFileWatch {
    private static final Logger log = LoggerFactory.getLogger(KeyFileWatch.class);

    private final KeyFile file;
    private final ApiKeys keys;
    private KeyRing inForce; // guarded by this

    private KeyFileWatch(KeyFile file, KeyRing ring) {
        this.file = file;
        this.inForce = ring;
        this.keys = ApiKeys.of(ring);
    }

    /**
     * Reads a file whose keys are in force from now on.
     *
     * @throws IOException if it cannot be read
     * @throws KeyFileException if it is of no use
     */
    public static KeyFileWatch of(KeyFile file) throws IOException, KeyFileException {
        return new KeyFileWatch(file, file.read());
    }

    /** The keys in force. */
    public ApiKeys keys() {
        return keys;
    }

    /** The file. */
    public Path path() {
        return file.path();
    }

    /** Reads the file again, which somebody has seen change; true if it says something else than before, which is in force now. */
    public synchronized boolean look() {
        try {
            KeyRing ring = file.read();
            if (ring.equals(inForce)) {
                return false;
            }
            keys.replace(ring);
            inForce = ring;
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

package dev.tidestream.server.keys;

import java.io.Serial;

/** A file of keys that is of no use. The message is for people, names the line and has neither a key nor a hash. */
public final class KeyFileException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    KeyFileException(String message) {
        super(message);
    }
}

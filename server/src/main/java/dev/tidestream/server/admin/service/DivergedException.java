package dev.tidestream.server.admin.service;

import java.io.Serial;

/** A version that others have agreed on is another one here: other bits, or another history. The node must not serve it. */
public final class DivergedException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param message for people: names the version and both checksums */
    public DivergedException(String message) {
        super(message);
    }
}

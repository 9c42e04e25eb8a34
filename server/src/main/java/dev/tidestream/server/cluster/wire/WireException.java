package dev.tidestream.server.cluster.wire;

import java.io.Serial;

/** A message that is none of this wire. */
public final class WireException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param message names the field and the value */
    public WireException(String message) {
        super(message);
    }

    /** With what it comes of. */
    public WireException(String message, Throwable cause) {
        super(message, cause);
    }
}

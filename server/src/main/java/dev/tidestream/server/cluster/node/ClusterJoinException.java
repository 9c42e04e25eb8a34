package dev.tidestream.server.cluster.node;

import java.io.Serial;

/** A node may not take part, or cannot. */
public final class ClusterJoinException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param message names what does not fit, with both values */
    public ClusterJoinException(String message) {
        super(message);
    }

    /** With what it comes of. */
    public ClusterJoinException(String message, Throwable cause) {
        super(message, cause);
    }
}

package dev.tidestream.server.cli.terminal;

import java.io.Serial;

/** A command that failed for a reason the user can read; exit code 1. */
public final class CliException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** @param message for people: what has failed, and why */
    public CliException(String message) {
        super(message);
    }

    /** @param message for people: what has failed, and why */
    public CliException(String message, Throwable cause) {
        super(message, cause);
    }
}

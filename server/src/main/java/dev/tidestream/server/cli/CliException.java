package dev.tidestream.server.cli;

import java.io.Serial;

/** A command that failed for a reason the user can read; exit code 1. */
final class CliException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    CliException(String message) {
        super(message);
    }

    CliException(String message, Throwable cause) {
        super(message, cause);
    }
}

package dev.tidestream.server.admin;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A checkpoint that cannot be used; the updates before it are applied instead. */
final class CheckpointException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long weightsVersion;

    /** @param weightsVersion of the checkpoint */
    CheckpointException(long weightsVersion, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.weightsVersion = weightsVersion;
    }

    long weightsVersion() {
        return weightsVersion;
    }
}

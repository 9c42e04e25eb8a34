package dev.tidestream.server.admin.store.checkpoint;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A checkpoint that cannot be used; the updates before it are applied instead. */
public final class CheckpointException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long weightsVersion;

    /** @param weightsVersion of the checkpoint */
    public CheckpointException(long weightsVersion, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.weightsVersion = weightsVersion;
    }

    /** Of the checkpoint. */
    public long weightsVersion() {
        return weightsVersion;
    }
}

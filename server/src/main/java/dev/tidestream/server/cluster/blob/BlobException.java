package dev.tidestream.server.cluster.blob;

import java.io.IOException;
import java.io.Serial;

/** A blob that is not taken, or not got, and why. */
public final class BlobException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** What is wrong. */
    public enum Problem {
        /** It would be more than may be kept. */
        TOO_LARGE,
        /** The disk has no room for it. */
        DISK_FULL,
        /** Others are received already, or the same is. */
        BUSY,
        /** The bytes that came have another checksum, or go on from another place. */
        DIFFERENT,
        /** Nobody who was asked has it. */
        MISSING
    }

    private final Problem problem;

    /** @param message for people: names what is wrong, with the values */
    public BlobException(Problem problem, String message) {
        super(message);
        this.problem = problem;
    }

    /** What is wrong. */
    public Problem problem() {
        return problem;
    }
}

package dev.tidestream.server.admin.store.directory;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A data directory that cannot be served from. Nothing in it was changed. */
public final class DataDirException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    /** What is wrong with the directory. */
    public enum Problem {
        /** Another server uses it. */
        LOCKED,
        /** Its versions are changes to another model file. */
        WRONG_BASE,
        /** The manifest is damaged, or made by a newer version. */
        BAD_MANIFEST,
        /** Payloads are there, but no manifest. */
        MANIFEST_MISSING,
        /** A committed payload is not there. */
        PAYLOAD_MISSING,
        /** A committed payload has another length or checksum. */
        PAYLOAD_DAMAGED,
        /** A checkpoint that stands in for pruned versions is not there, or cannot be used. */
        CHECKPOINT_UNUSABLE,
        /** It cannot be read or written. */
        IO
    }

    private final Problem problem;

    /** @param message for people: names the directory and what is wrong */
    public DataDirException(Problem problem, String message) {
        this(problem, message, null);
    }

    /** @param message for people: names the directory and what is wrong */
    public DataDirException(Problem problem, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.problem = problem;
    }

    /** What kind of problem it is. */
    public Problem problem() {
        return problem;
    }
}

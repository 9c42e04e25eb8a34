package dev.tidestream.server.safetensors;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A file that is refused. The message names what is wrong with it, and the values. */
public final class SafetensorsException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    SafetensorsException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** What is wrong with it. */
    public Reason reason() {
        return reason;
    }

    /** Kinds of refusals. */
    public enum Reason {
        /** The system cannot read it. */
        UNREADABLE,
        /** It is not a safetensors file, or has not what is looked for. */
        INVALID_FILE,
        /** A tensor has an element type that is not read. */
        INVALID_DTYPE
    }
}

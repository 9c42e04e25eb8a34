package dev.tidestream.server.adapters;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.adapter.AdapterException;

/** An adapter that was not loaded, or not unloaded, and why. */
public final class AdapterRefusedException extends AdapterException {
    private static final long serialVersionUID = 1L;

    /** Kinds of refusals. */
    public enum Reason {
        /** The name cannot be one. */
        INVALID_NAME,
        /** An adapter of that name is served, or the model is called so. */
        ALREADY_LOADED,
        /** No adapter of that name is served. */
        NOT_LOADED,
        /** A limit is reached. */
        LIMIT,
        /** The memory budget leaves no room for it. */
        BUDGET,
        /** The path is outside of the directory of adapters, there is none, or nothing is there. */
        INVALID_PATH,
        /** The adapter cannot be served: key, shape or value. */
        INVALID_ADAPTER,
        /** The system cannot read it. */
        UNREADABLE
    }

    private final Reason reason;

    AdapterRefusedException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}

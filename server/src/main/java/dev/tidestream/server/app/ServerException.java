package dev.tidestream.server.app;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A server that cannot be started, or not closed, for a reason that its owner can read and mend. The message is for people. */
public final class ServerException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    ServerException(Reason reason, String message) {
        this(reason, message, null);
    }

    ServerException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** What it is about. */
    public Reason reason() {
        return reason;
    }

    /** What a refusal is about. */
    public enum Reason {
        /** It cannot listen where it should. */
        ADDRESS,
        /** The file with the administrators' token is of no use. */
        ADMIN_TOKEN,
        /** Certificate or key are of no use. */
        TLS,
        /** The file with clients' keys is of no use. */
        API_KEYS,
        /** The key of receipts is of no use. */
        RECEIPT_KEY,
        /** The directory for files of updates is of no use. */
        UPDATE_DIRECTORY,
        /** The data directory cannot be served from. */
        DATA_DIRECTORY,
        /** Weights and KV cache do not fit the memory budget. */
        MEMORY,
        /** The model cannot be served. */
        MODEL,
        /** An adapter cannot be served. */
        ADAPTER,
        /** The file with a chat template is of no use. */
        CHAT_TEMPLATE,
        /** The cluster cannot be joined, or may not be. */
        CLUSTER,
        /** Limits do not fit the model. */
        LIMITS,
        /** The thread that started it was interrupted. */
        INTERRUPTED,
        /** Something could not be closed. */
        CLOSE
    }
}

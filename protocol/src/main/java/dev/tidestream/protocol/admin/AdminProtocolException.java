package dev.tidestream.protocol.admin;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ProtocolException;

/** A frame that is no message of the admin channel. Carries all that a {@code failed} reply needs; has no stack trace. */
public final class AdminProtocolException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final AdminErrorCode code;
    private final @Nullable String field;
    private final @Nullable String ref;

    /**
     * @param field path of the field; null if the message as a whole is wrong
     * @param message names the field and the value
     * @param ref of the request, if that could be read
     */
    public AdminProtocolException(AdminErrorCode code, @Nullable String field, String message, @Nullable String ref) {
        super(message, null, false, false);
        this.code = code;
        this.field = field;
        this.ref = ref;
    }

    static AdminProtocolException of(ProtocolException e) {
        AdminErrorCode code = switch (e.code()) {
            case MALFORMED_JSON -> AdminErrorCode.MALFORMED_JSON;
            case UNKNOWN_TYPE -> AdminErrorCode.UNKNOWN_TYPE;
            case UNKNOWN_FIELD -> AdminErrorCode.UNKNOWN_FIELD;
            case MISSING_FIELD -> AdminErrorCode.MISSING_FIELD;
            case INVALID_TYPE -> AdminErrorCode.INVALID_TYPE;
            case INVALID_VALUE -> AdminErrorCode.INVALID_VALUE;
            case FRAME_TOO_LARGE -> AdminErrorCode.FRAME_TOO_LARGE;
            case DUPLICATE_ID, UNKNOWN_ID, BINARY_FRAME, TOO_MANY_STREAMS, PROMPT_TOO_LONG, BUSY, RATE_LIMIT_EXCEEDED, INVALID_API_KEY, CREDIT_TIMEOUT,
                    DEADLINE_EXCEEDED, UNKNOWN_STREAM, RESUMED, REPLAY_GONE, VERSION_GONE, VERSION_NOT_YET, UNKNOWN_ADAPTER,
                    SHUTTING_DOWN, INTERNAL ->
                    throw new AssertionError("no code of a decoder: " + e.code(), e);
        };
        return new AdminProtocolException(code, e.field(), String.valueOf(e.getMessage()), e.id());
    }

    public AdminErrorCode code() {
        return code;
    }

    public @Nullable String field() {
        return field;
    }

    public @Nullable String ref() {
        return ref;
    }

    /** The frame that tells the client. */
    public AdminReply.Failed toFailed() {
        return new AdminReply.Failed(ref, code, String.valueOf(getMessage()));
    }
}

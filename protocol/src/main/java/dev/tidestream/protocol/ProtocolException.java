package dev.tidestream.protocol;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

/** A message that is not one of this protocol. Carries all that a {@code failed} frame needs; has no stack trace. */
public final class ProtocolException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final @Nullable String field;
    private final @Nullable String id;

    /**
     * @param field path of the field, e.g. {@code sampling.top_p}; null if the message as a whole is wrong
     * @param message names the field and the value
     * @param id the stream the message was about, if that could be read
     */
    public ProtocolException(ErrorCode code, @Nullable String field, String message, @Nullable String id) {
        super(message, null, false, false);
        this.code = code;
        this.field = field;
        this.id = id;
    }

    public ErrorCode code() {
        return code;
    }

    public @Nullable String field() {
        return field;
    }

    public @Nullable String id() {
        return id;
    }

    /** The frame that tells the client. */
    public ServerMessage.Failed toFailed() {
        return new ServerMessage.Failed(id, code, String.valueOf(getMessage()));
    }
}

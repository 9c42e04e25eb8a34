package dev.tidestream.server.engine;

import java.io.Serial;

import dev.tidestream.protocol.ErrorCode;

/** A request that was refused, or a stream that failed; the {@code onError} signal of {@link Generation#events}. */
public final class EngineException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    /** @param message names the field and the value, for the client to read */
    public EngineException(ErrorCode code, String message) {
        super(message);
        this.code = code;
    }

    /** The code of the {@code failed} frame. */
    public ErrorCode code() {
        return code;
    }
}

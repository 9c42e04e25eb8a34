package dev.tidestream.server.cluster.log;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;

/** What the log does not do, and why. With every code but {@code no_quorum}, nothing has changed and nothing will. */
public final class LogRefusedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final AdminErrorCode code;

    /** @param message for people: names what is wrong, with the values */
    public LogRefusedException(AdminErrorCode code, String message) {
        this(code, message, null);
    }

    /** @param message for people: names what is wrong, with the values */
    public LogRefusedException(AdminErrorCode code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** What a client is told. */
    public AdminErrorCode code() {
        return code;
    }
}

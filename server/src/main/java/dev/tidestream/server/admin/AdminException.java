package dev.tidestream.server.admin;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminErrorCode;

/** A request that was refused and has changed nothing. Carries all that a {@code failed} reply needs. */
public final class AdminException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final AdminErrorCode code;

    /** @param message for people: names what is wrong, with the values */
    public AdminException(AdminErrorCode code, String message) {
        this(code, message, null);
    }

    /** @param message for people: names what is wrong, with the values */
    public AdminException(AdminErrorCode code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** What a {@code failed} reply says. */
    public AdminErrorCode code() {
        return code;
    }
}

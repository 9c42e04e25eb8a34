package dev.tidestream.server.cli.admin;

import java.io.Serial;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;

/** The server refused a request, and nothing has changed. The message is {@code code: message}, as the server sent it. */
public final class AdminFailedException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final AdminErrorCode code;

    AdminFailedException(AdminReply.Failed failed) {
        super(failed.code().wireName() + ": " + failed.message());
        this.code = failed.code();
    }

    /** What the server said. */
    public AdminErrorCode code() {
        return code;
    }
}

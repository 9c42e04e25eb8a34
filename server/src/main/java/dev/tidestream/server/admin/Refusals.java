package dev.tidestream.server.admin;

import java.io.IOException;
import java.util.Locale;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;

/** From what the system reports to what a client is told. */
final class Refusals {
    private Refusals() {}

    /** {@code disk_full} if the message of the error says so (Java has no type for it), otherwise {@code internal}. */
    static AdminException ofIo(String what, IOException e) {
        String reason = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        boolean full = reason.contains("no space left") || reason.contains("quota exceeded") || reason.contains("not enough space")
                || reason.contains("file too large");
        return full
                ? new AdminException(AdminErrorCode.DISK_FULL, what + ": disk full", e)
                : new AdminException(AdminErrorCode.INTERNAL, what + ": cannot write: " + Reasons.of(e), e);
    }
}

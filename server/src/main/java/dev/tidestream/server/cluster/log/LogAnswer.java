package dev.tidestream.server.cluster.log;

import dev.tidestream.protocol.admin.AdminErrorCode;

/** What the state machine makes of a command: the same on every keeper. */
sealed interface LogAnswer {
    /** It has become a version, now or before. */
    record Accepted(Committed committed) implements LogAnswer {}

    /** What is published afterwards. */
    record Published(long version) implements LogAnswer {}

    /** Nothing has changed. */
    record Refused(AdminErrorCode code, String message) implements LogAnswer {}
}

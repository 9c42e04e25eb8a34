package dev.tidestream.server.transport.common;

import java.util.Locale;

/** Why the transport did not take what somebody sent, or gave somebody up; the label of a metric. */
public enum Refusal {
    /** A message beyond the limit of its size: {@code frame_too_large}. */
    MESSAGE_TOO_LARGE,
    /** A message for which there was no room among those being assembled: {@code busy}. */
    ASSEMBLY_FULL,
    /** A violation of RFC 6455: closed with 1002. */
    PROTOCOL_ERROR,
    /** Text that is not UTF-8: closed with 1007. */
    INVALID_UTF8,
    /** A WebSocket frame beyond the hard limit: closed with 1009. */
    FRAME_TOO_BIG,
    /** A client without any sign of life: closed with 1001. */
    NO_SIGN_OF_LIFE,
    /** As many WebSockets and requests as may be are open: 503. */
    CONNECTIONS_FULL,
    /** A request that did not come to its end in time: 408. */
    REQUEST_TIMEOUT,
    /** An unfinished request that had to give its place to a newer connection: 503. */
    PENDING_FULL,
    /** A connection kept alive that had to give its place to a newer one. */
    IDLE_FULL,
    /** A client of plain HTTP that does not read the answers: it asks for more meanwhile, or has taken nothing for too long. */
    UNREAD_ANSWERS,
    /** A request that is not HTTP, or ambiguous: 400, 414, 431. */
    BAD_REQUEST,
    /** A {@code Host} that this server does not go by: 403. */
    FOREIGN_HOST,
    /** A page of another origin: 403. */
    FOREIGN_ORIGIN;

    /** The reason as it stands in a metric, e.g. {@code request_timeout}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package dev.tidestream.protocol;

import java.util.Locale;

/** Why a message or a stream failed; the wire form is the lower-case name. */
public enum ErrorCode {
    /** The frame is not one JSON object. */
    MALFORMED_JSON,
    /** The {@code type} is missing or not one of this protocol. */
    UNKNOWN_TYPE,
    /** A field that this message does not have. */
    UNKNOWN_FIELD,
    /** A required field is absent. */
    MISSING_FIELD,
    /** A field of the wrong JSON type. */
    INVALID_TYPE,
    /** A field whose value is out of its range. */
    INVALID_VALUE,
    /** A running stream of this connection has this id already. */
    DUPLICATE_ID,
    /** No running stream of this connection has this id. */
    UNKNOWN_ID,
    /** The frame is larger than the server accepts. */
    FRAME_TOO_LARGE,
    /** Binary frame, where the protocol has text frames only. */
    BINARY_FRAME,
    /** This connection runs as many streams as it may. */
    TOO_MANY_STREAMS,
    /** The prompt can never fit: context length or KV-cache memory. */
    PROMPT_TOO_LONG,
    /** The server's waiting queue is full; try again later. */
    BUSY,
    /** The limit of an API key: requests or tokens per minute, or streams at once; {@code retry_after_ms} says when to try again. */
    RATE_LIMIT_EXCEEDED,
    /** The API key that the connection was opened with is valid no more. */
    INVALID_API_KEY,
    /** The client granted no credit for longer than the server waits. */
    CREDIT_TIMEOUT,
    /** The stream was not done when the time was up that its client had given it. */
    DEADLINE_EXCEEDED,
    /** No stream that can be resumed has this name: it never was, is over for too long, or is another key's. */
    UNKNOWN_STREAM,
    /** The stream went on on another connection. */
    RESUMED,
    /** The tokens that the client lacks are not kept any more, and cannot be made again. */
    REPLAY_GONE,
    /** No adapter of this name is served. */
    UNKNOWN_ADAPTER,
    /** The version of the weights that the stream needs does not exist any more. */
    VERSION_GONE,
    /** The server has no weights that are as new as the stream needs them. */
    VERSION_NOT_YET,
    /** The server is shutting down. */
    SHUTTING_DOWN,
    /** A fault of the server; the log has the details. */
    INTERNAL;

    /** The code as it stands in a frame, e.g. {@code unknown_field}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

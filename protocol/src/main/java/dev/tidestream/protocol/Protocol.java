package dev.tidestream.protocol;

/** The names and fixed numbers of version 1; {@link Codec} describes the messages. */
public final class Protocol {
    /** The WebSocket subprotocol that both sides must agree on. */
    public static final String SUBPROTOCOL = "tidestream.v1";
    /** Where a server listens for WebSockets. */
    public static final String PATH = "/v1/stream";

    /**
     * A second subprotocol entry that begins like this carries an API key in base64url, for pages, which can set no headers; the server never
     * chooses it.
     */
    public static final String BEARER_SUBPROTOCOL_PREFIX = "tidestream.bearer.";

    /** Longest {@code id}, in UTF-16 code units. */
    public static final int MAX_ID_CHARS = 128;
    /** Longest {@code traceparent} and {@code tracestate}, in UTF-16 code units. */
    public static final int MAX_TRACE_CHARS = 512;
    /** {@code max_tokens} when a {@code generate} does not say. */
    public static final int DEFAULT_MAX_TOKENS = 256;
    /** Most stop strings of one stream. */
    public static final int MAX_STOPS = 16;
    /** Longest stop string, in UTF-16 code units. */
    public static final int MAX_STOP_CHARS = 256;
    /** Most entries of {@code sampling.logit_bias}. */
    public static final int MAX_LOGIT_BIAS = 1024;
    /** Most fields of a message, those of all objects together: twice what {@link #MAX_LOGIT_BIAS} leaves room for. */
    public static final int MAX_FIELDS = 2048;
    /** Most candidates per token that {@code logprobs} may ask for. */
    public static final int MAX_TOP_LOGPROBS = 20;
    /** The largest integer that a JavaScript number holds exactly; larger seeds travel as decimal strings. */
    public static final long MAX_SAFE_INTEGER = (1L << 53) - 1;

    /** Longest {@code deadline_ms}: a day. */
    public static final int MAX_DEADLINE_MS = 86_400_000;

    private Protocol() {}
}

package dev.tidestream.protocol.admin;

/** The names and fixed numbers of version 1 of the admin channel; {@link AdminCodec} describes the messages. */
public final class AdminProtocol {
    /** The WebSocket subprotocol that both sides must agree on. */
    public static final String SUBPROTOCOL = "tidestream.admin.v1";
    /** Where a server listens for administrators. */
    public static final String PATH = "/v1/admin";
    /** A second subprotocol entry that begins like this carries the token, for clients that cannot set headers. */
    public static final String BEARER_SUBPROTOCOL_PREFIX = "bearer.";

    /** Longest {@code ref} and {@code update_id}, in UTF-16 code units. */
    public static final int MAX_REF_CHARS = 128;
    /** Longest name of a tensor, in UTF-16 code units. */
    public static final int MAX_TENSOR_CHARS = 256;
    /** Longest {@code path}, in UTF-16 code units. */
    public static final int MAX_PATH_CHARS = 1024;
    /** Longest label of an update of many tensors, in UTF-16 code units. */
    public static final int MAX_LABEL_CHARS = 256;
    /** Highest number of a part of one. */
    public static final int MAX_PART = 999_999;
    /** Most dimensions of a shape. */
    public static final int MAX_DIMENSIONS = 4;
    /** Longest frame that a server reads, in UTF-16 code units. */
    public static final int MAX_REQUEST_CHARS = 64 << 10;

    /** Most fields of a request, those of all objects together; twice what the largest one has. */
    public static final int MAX_REQUEST_FIELDS = 32;

    private AdminProtocol() {}
}

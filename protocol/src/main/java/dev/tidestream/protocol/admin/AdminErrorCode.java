package dev.tidestream.protocol.admin;

import java.util.Locale;

/** Why an admin request failed; the wire form is the lower-case name. Whatever failed has changed nothing. */
public enum AdminErrorCode {
    /** The token is missing or wrong. */
    UNAUTHORIZED,
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
    /** The frame is larger than the server accepts. */
    FRAME_TOO_LARGE,
    /** A binary frame while no update waits for its payload. */
    UNEXPECTED_BINARY,
    /** The model's head is not its embedding. */
    NO_TIED_WEIGHTS,
    /** The new layout does not give the logits of the old one. */
    VERIFICATION_FAILED,
    /** It would not fit the memory budget. */
    BUDGET_EXCEEDED,
    /** The payload, or what it makes of the weights, has a NaN or an infinity. */
    NON_FINITE,
    /** The shape does not fit the tensor or the kind of update. */
    INVALID_SHAPE,
    /** The element type is not one that is accepted here. */
    INVALID_DTYPE,
    /** The payload is longer or shorter than announced, or than its shape needs. */
    INVALID_LENGTH,
    /** The payload's SHA-256 is not the announced one. */
    CHECKSUM_MISMATCH,
    /** The model has no tensor of this name. */
    UNKNOWN_TENSOR,
    /** The server keeps no versions: it was started without a data directory. */
    NO_DATA_DIR,
    /** The update was made for another version than the current one. */
    STALE_BASE_VERSION,
    /** This {@code update_id} belongs to a committed update with other content. */
    UPDATE_CONFLICT,
    /** No update of this name is open, or committed. */
    UNKNOWN_UPDATE,
    /** Parts of the update are missing, or are others than were sent. */
    INCOMPLETE,
    /** The update would make the output head another matrix than the embedding that it is tied to. */
    TIE_CONFLICT,
    /** A canary or a shadow runs already, or none does. */
    TRIAL_CONFLICT,
    /** No committed version has this number. */
    UNKNOWN_VERSION,
    /** The version was pruned: its weights are not kept any more. */
    VERSION_GONE,
    /** The path is outside of the update directory, or no file is there. */
    INVALID_PATH,
    /** The file is no valid safetensors file, or lacks the tensor. */
    INVALID_FILE,
    /** As many versions are kept, or alive, as may be. */
    TOO_MANY_VERSIONS,
    /** The payloads of all versions would take more bytes than they may. */
    TOO_MANY_BYTES,
    /** The file system is full, or the quota used up. */
    DISK_FULL,
    /** No adapter of this name is served. */
    UNKNOWN_ADAPTER,
    /** An adapter of this name is served, or the model is called so. */
    ADAPTER_EXISTS,
    /** The adapter does not fit the model, or is of a kind that is not supported. */
    INVALID_ADAPTER,
    /** As many adapters are served, or as many bytes of them held, as may be. */
    TOO_MANY_ADAPTERS,
    /** Another change is being made; try again later. */
    BUSY,
    /** No majority of the cluster's keepers answers; what was sent may still be committed, and sending it again tells. */
    NO_QUORUM,
    /** The server is shutting down. */
    SHUTTING_DOWN,
    /** A fault of the server; the log has the details. */
    INTERNAL;

    /** The code as it stands in a frame, e.g. {@code stale_base_version}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package dev.tidestream.protocol;

/** Why a stream ended; the wire form is the lower-case name. */
public enum FinishReason {
    /** A stop string or a stop token was generated. */
    STOP,
    /** {@code max_tokens}, or the model's context, was reached. */
    LENGTH,
    /** The client cancelled. */
    CANCELLED
}

package dev.tidestream.model.patch;

import java.io.Serial;

/** A patch that is refused; the tensor is as it was. The message names the tensor, the field and its values. */
public final class PatchException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    PatchException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** What is wrong with it. */
    public Reason reason() {
        return reason;
    }

    /** Kinds of refusals. */
    public enum Reason {
        /** A value of the payload, a sum, a product or what the tensor's format would store is infinite or NaN. */
        NON_FINITE,
        /** Shape or rank do not fit the tensor, or the kind is not for tensors of this shape. */
        INVALID_SHAPE,
        /** The payload is shorter or longer than kind, shape, dtype and rank say. */
        INVALID_LENGTH,
        /** A row number, or the place of an element, is negative, too large or repeated. */
        INVALID_ROWS
    }
}

package dev.tidestream.model.packed;

/** A file of panels cannot be used; the message says why. */
public final class PackedFileException extends Exception {
    private static final long serialVersionUID = 1L;

    PackedFileException(String message) {
        super(message);
    }

    PackedFileException(String message, Throwable cause) {
        super(message, cause);
    }
}

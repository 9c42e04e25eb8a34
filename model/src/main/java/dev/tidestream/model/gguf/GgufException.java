package dev.tidestream.model.gguf;

import java.io.Serial;

/** A GGUF file that cannot be read, or lacks what is asked for. The message names the file, the key or tensor, and the value. */
public final class GgufException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String message;

    public GgufException(String message) {
        super(message);
        this.message = message;
    }

    public GgufException(String message, Throwable cause) {
        super(message, cause);
        this.message = message;
    }

    /** A text of a file as it may stand in a message: short, on one line, without control characters. */
    public static String quote(String text) {
        return Cursor.quote(text);
    }

    @Override
    public String getMessage() {
        return message;
    }
}

package dev.tidestream.model.adapter;

import org.jspecify.annotations.Nullable;

/** An adapter that cannot be served; the message names key, shapes or value. */
public class AdapterException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public AdapterException(String message) {
        super(message);
    }

    public AdapterException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}

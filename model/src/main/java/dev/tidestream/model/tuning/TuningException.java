package dev.tidestream.model.tuning;

import java.io.Serial;

/** A model cannot be tuned, or not like this. The message is for people. */
public final class TuningException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public TuningException(String message) {
        super(message);
    }
}

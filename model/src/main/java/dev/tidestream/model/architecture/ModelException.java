package dev.tidestream.model.architecture;

import java.io.Serial;

/** A file that is valid, but no model this version can run; the message names the file, the key or tensor and the value. */
public final class ModelException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public ModelException(String message) {
        super(message);
    }
}

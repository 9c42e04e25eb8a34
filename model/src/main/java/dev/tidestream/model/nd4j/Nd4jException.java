package dev.tidestream.model.nd4j;

import java.io.Serial;

/** ND4J cannot do what was asked: no native library for this system, no memory, or a matrix beyond its limits. */
public final class Nd4jException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    Nd4jException(String message) {
        super(message);
    }

    Nd4jException(String message, Throwable cause) {
        super(message, cause);
    }
}

package dev.tidestream.server.configuration;

import java.io.Serial;

/** A configuration that cannot be used; the message names the file and the line, and repeats no value. */
public final class ConfigurationException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    public ConfigurationException(String message) {
        super(message);
    }

    public ConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}

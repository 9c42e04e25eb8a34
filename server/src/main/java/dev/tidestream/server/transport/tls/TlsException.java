package dev.tidestream.server.transport.tls;

import java.io.Serial;

/** A certificate or a key that cannot be used; the message names the file, and nothing of its content. */
public final class TlsException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    public TlsException(String message) {
        super(message);
    }

    public TlsException(String message, Throwable cause) {
        super(message, cause);
    }
}

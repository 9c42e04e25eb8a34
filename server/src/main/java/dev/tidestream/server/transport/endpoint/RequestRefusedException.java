package dev.tidestream.server.transport.endpoint;

import java.io.Serial;

import dev.tidestream.server.transport.http.HttpError;

/** A request, or its body, that is not taken. */
public final class RequestRefusedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient HttpError error;

    public RequestRefusedException(HttpError error) {
        super(error.message());
        this.error = error;
    }

    /** What to answer. */
    public HttpError error() {
        return error;
    }
}

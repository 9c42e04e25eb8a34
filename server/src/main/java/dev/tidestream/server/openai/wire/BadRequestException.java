package dev.tidestream.server.openai.wire;

import java.io.Serial;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.http.HttpError;

/** A request that is not taken, and what to answer. */
public final class BadRequestException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;
    private static final int BAD_REQUEST = 400;

    private final transient HttpError error;

    public BadRequestException(HttpError error) {
        super(error.message());
        this.error = error;
    }

    /** A 400 about a field. */
    public static BadRequestException of(String code, @Nullable String param, String message) {
        return new BadRequestException(HttpError.of(BAD_REQUEST, code, param, message));
    }

    /** What to answer. */
    public HttpError error() {
        return error;
    }
}

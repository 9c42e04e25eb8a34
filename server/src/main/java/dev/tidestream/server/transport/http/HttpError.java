package dev.tidestream.server.transport.http;

import org.jspecify.annotations.Nullable;

/**
 * An answer that is an error, in the form that OpenAI's clients read: {@code {"error":{"message","type","param","code"}}}, all four keys there.
 *
 * @param status of the answer
 * @param type kind of error, e.g. {@code invalid_request_error}
 * @param param the field of the request that is wrong
 * @param code what a program tells errors apart by
 */
public record HttpError(int status, String type, @Nullable String code, @Nullable String param, String message) {
    private static final int FORBIDDEN = 403;
    private static final int CONFLICT = 409;
    private static final int TOO_MANY = 429;
    private static final int FIRST_OF_SERVER = 500;

    /** With the type that goes with the status. */
    public static HttpError of(int status, @Nullable String code, String message) {
        return of(status, code, null, message);
    }

    /** With the type that goes with the status, about a field. */
    public static HttpError of(int status, @Nullable String code, @Nullable String param, String message) {
        return new HttpError(status, type(status), code, param, message);
    }

    private static String type(int status) {
        return switch (status) {
            case FORBIDDEN -> "permission_error";
            case CONFLICT -> "conflict_error";
            case TOO_MANY -> "rate_limit_error";
            default -> status >= FIRST_OF_SERVER ? "server_error" : "invalid_request_error";
        };
    }

    /** The fields of the body. */
    public JsonAnswer.Body body() {
        return json -> {
            json.writeObjectFieldStart("error");
            json.writeStringField("message", message);
            json.writeStringField("type", type);
            json.writeStringField("param", param);
            json.writeStringField("code", code);
            json.writeEndObject();
        };
    }
}

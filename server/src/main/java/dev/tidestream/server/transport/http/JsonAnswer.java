package dev.tidestream.server.transport.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.buffer.BufferInternal;

/** Answers over HTTP, and what every one of them has: its length, and that nobody may keep it. The future: when it is out. Event loop. */
public final class JsonAnswer {
    /** Content type of JSON. */
    public static final String TYPE = "application/json";

    private static final JsonFactory JSON = new JsonFactory();
    private static final int MAX_SHOWN_CHARS = 200;
    private static final int TOO_MANY = 429;
    private static final int UNAVAILABLE = 503;

    /** When to ask again, in milliseconds. */
    public static final String RETRY_AFTER_MS = "retry-after-ms";
    /** Whether asking again may be of use: OpenAI's clients do what it says, whatever the status. */
    public static final String SHOULD_RETRY = "x-should-retry";
    /** When to ask again, in seconds, unless somebody knows better. */
    private static final String RETRY_AFTER_S = "1";

    private static final String RETRY_HEADERS = "Retry-After: %1$s\r\n%2$s: %1$s000\r\n".formatted(RETRY_AFTER_S, RETRY_AFTER_MS);

    private JsonAnswer() {}

    /** Writes the fields of an object. */
    public interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** Answers with an object. */
    public static Future<Void> send(HttpServerRequest request, int status, Body body) {
        return send(request, status, TYPE, bytes(body));
    }

    /** Answers with an error. */
    public static Future<Void> refuse(HttpServerRequest request, HttpError error) {
        return send(request, error.status(), error.body());
    }

    /** For what may pass: in seconds, as HTTP has it, and in milliseconds, as OpenAI's clients read it first; what was said before stays. */
    private static void sayWhenToRetry(HttpServerResponse response, int status) {
        boolean never = "false".equals(response.headers().get(SHOULD_RETRY));
        if (!never && (status == TOO_MANY || status == UNAVAILABLE)) {
            String seconds = response.headers().get(HttpHeaders.RETRY_AFTER);
            if (seconds == null) {
                seconds = RETRY_AFTER_S;
                response.putHeader(HttpHeaders.RETRY_AFTER, seconds);
            }
            if (!response.headers().contains(RETRY_AFTER_MS)) {
                response.putHeader(RETRY_AFTER_MS, seconds + "000");
            }
        }
    }

    /** Answers with an error that is about no field. */
    public static Future<Void> refuse(HttpServerRequest request, int status, String code, String message) {
        return refuse(request, HttpError.of(status, code, message));
    }

    /** Answers with any text; to HEAD with its length only. */
    public static Future<Void> send(HttpServerRequest request, int status, String contentType, String text) {
        return send(request, status, contentType, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Answers with bytes; to HEAD with their number only. */
    public static Future<Void> send(HttpServerRequest request, int status, String contentType, byte[] utf8) {
        sayWhenToRetry(request.response(), status);
        HttpServerResponse response = request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, contentType)
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(utf8.length))
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        return request.method().equals(HttpMethod.HEAD) ? response.end() : response.end(wrapped(utf8, utf8.length));
    }

    /** A whole answer of HTTP/1.1, for a connection that is closed after it. */
    static String last(HttpError error) {
        String body = text(error.body());
        return String.format(
                Locale.ROOT,
                "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
                error.status(), HttpResponseStatus.valueOf(error.status()).reasonPhrase(), body.length(),
                error.status() == UNAVAILABLE ? RETRY_HEADERS : "", body);
    }

    /** An object in a line. */
    public static String text(Body body) {
        return new String(bytes(body), StandardCharsets.UTF_8);
    }

    /** An object in a line, encoded once. */
    public static byte[] bytes(Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) { // UTF-8
            json.writeStartObject();
            body.writeTo(json);
            json.writeEndObject();
            json.writeRaw('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** The first of these bytes for the socket, without a copy: nobody may change them any more. */
    public static Buffer wrapped(byte[] bytes, int count) {
        return BufferInternal.buffer(Unpooled.wrappedBuffer(bytes, 0, count));
    }

    /** What a client sent, short enough and clean enough for a message. */
    public static String shown(String value) {
        String head = value.length() > MAX_SHOWN_CHARS ? value.substring(0, MAX_SHOWN_CHARS) + "…" : value;
        return head.replaceAll("[\\p{Cntrl}\\p{Cs}]", "\uFFFD");
    }
}

package dev.tidestream.server.transport.http;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/** Answers over HTTP, and what every one of them has: its length, and that nobody may keep it. The future: when it is out. Event loop. */
public final class JsonAnswer {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int MAX_SHOWN_CHARS = 200;

    private JsonAnswer() {}

    /** Writes the fields of an object. */
    public interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** Answers with an object. */
    public static Future<Void> send(HttpServerRequest request, int status, Body body) {
        return send(request, status, "application/json", text(body));
    }

    /** Answers with an error. */
    public static Future<Void> refuse(HttpServerRequest request, HttpError error) {
        return send(request, error.status(), error.body());
    }

    /** Answers with an error that is about no field. */
    public static Future<Void> refuse(HttpServerRequest request, int status, String code, String message) {
        return refuse(request, HttpError.of(status, code, message));
    }

    /** Answers with any text; to HEAD with its length only. */
    public static Future<Void> send(HttpServerRequest request, int status, String contentType, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        HttpServerResponse response = request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, contentType)
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(utf8.length))
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        return request.method().equals(HttpMethod.HEAD) ? response.end() : response.end(text);
    }

    /** An object in a line. */
    public static String text(Body body) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            body.writeTo(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    /** What a client sent, short enough and clean enough for a message. */
    public static String shown(String value) {
        String head = value.length() > MAX_SHOWN_CHARS ? value.substring(0, MAX_SHOWN_CHARS) + "…" : value;
        return head.replaceAll("[\\p{Cntrl}\\p{Cs}]", "\uFFFD");
    }
}

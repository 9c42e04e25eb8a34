package dev.tidestream.server.console;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * A file as it is sent to browsers.
 *
 * @param contentType by the end of its name
 * @param bytes nobody changes them
 * @param etag of the bytes, quoted (RFC 9110, 8.8.3)
 */
public record StaticFile(String contentType, byte[] bytes, String etag) {
    /** What a browser may load for a page: what this server has, nothing inline, nothing of others. */
    public static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final int OK = 200;
    private static final int NOT_MODIFIED = 304;
    private static final int ETAG_CHARS = 32;
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "json", "application/json",
            "png", "image/png",
            "svg", "image/svg+xml");

    /**
     * A file of this content.
     *
     * @param name what its end does not tell is text
     */
    public static StaticFile of(String name, byte[] bytes) {
        return new StaticFile(TYPES.getOrDefault(name.substring(name.lastIndexOf('.') + 1), TEXT), bytes, etag(bytes));
    }

    /**
     * Answers with it, or with 304 if the browser has it. It is asked for again at every load, so a new server has its own at once. Event
     * loop.
     */
    public void send(Exchange exchange) {
        HttpServerRequest request = exchange.request();
        HttpServerResponse response = request.response()
                .putHeader(HttpHeaders.ETAG, etag)
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("Cross-Origin-Opener-Policy", "same-origin")
                .putHeader("Cross-Origin-Resource-Policy", "same-origin")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("X-Content-Type-Options", "nosniff");
        if (isHeldBy(request)) {
            response.setStatusCode(NOT_MODIFIED).end();
            return;
        }
        response.setStatusCode(OK)
                .putHeader(HttpHeaders.CONTENT_TYPE, contentType)
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(bytes.length));
        if (request.method().equals(HttpMethod.HEAD)) {
            response.end();
        } else {
            response.end(JsonAnswer.wrapped(bytes, bytes.length));
        }
    }

    private boolean isHeldBy(HttpServerRequest request) {
        return request.headers().getAll(HttpHeaders.IF_NONE_MATCH).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .anyMatch(tag -> tag.equals("*") || tag.equals(etag) || tag.equals("W/" + etag));
    }

    private static String etag(byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(hash).substring(0, ETAG_CHARS) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}

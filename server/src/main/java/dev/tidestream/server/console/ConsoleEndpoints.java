package dev.tidestream.server.console;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * {@code GET /} and the files of the page, which are public: without a key, under names of the server only. What the page then asks for
 * needs a key or the administrators' token like any other request.
 *
 * <p>The browser may load, and talk to, this server alone (Content-Security-Policy), no page may frame it, and no other learns its
 * address. Files are asked for again at every load and answered with 304 while they are the same, so a new server has its own console at
 * once. Event loop.
 */
public final class ConsoleEndpoints implements EndpointFactory {
    /** Where the page is. */
    public static final String PATH = "/";

    static final String INDEX = "index.html";
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** All there are; resources of a jar cannot be listed. */
    static final List<String> NAMES = List.of(INDEX, "style.css", "icon.svg",
            "access.js", "admin.js", "app.js", "chart.js", "compare.js", "detail.js", "dom.js", "head.js", "load.js", "metrics.js", "pace.js",
            "parameters.js", "playground.js", "streams.js", "tokens.js", "transcript.js", "updates.js", "weights.js", "wire.js");

    private static final String FILES = "/console/";
    private static final int OK = 200;
    private static final int NOT_MODIFIED = 304;
    private static final int NOT_FOUND = 404;

    private final Map<String, ConsoleFile> files = new LinkedHashMap<>();

    public ConsoleEndpoints() {
        NAMES.forEach(name -> files.put(name, ConsoleFile.read(name)));
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        Auth open = Auth.of(exchange -> true);
        return List.of(
                Endpoint.get(PATH, open, exchange -> send(exchange, files.get(INDEX))),
                Endpoint.get(FILES + "*", open, exchange -> send(exchange, file(exchange))));
    }

    private @Nullable ConsoleFile file(Exchange exchange) {
        try {
            return files.get(exchange.rest());
        } catch (IllegalArgumentException _) {
            return null; // what cannot be decoded is no name
        }
    }

    private static void send(Exchange exchange, @Nullable ConsoleFile file) {
        HttpServerRequest request = exchange.request();
        if (file == null) {
            exchange.refuse(HttpError.of(NOT_FOUND, "not_found", "no such path: " + JsonAnswer.shown(String.valueOf(request.path()))));
            return;
        }
        HttpServerResponse response = request.response()
                .putHeader(HttpHeaders.ETAG, file.etag())
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("Cross-Origin-Opener-Policy", "same-origin")
                .putHeader("Cross-Origin-Resource-Policy", "same-origin")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("X-Content-Type-Options", "nosniff");
        if (matches(request, file)) {
            response.setStatusCode(NOT_MODIFIED).end();
            return;
        }
        byte[] bytes = file.bytes();
        response.setStatusCode(OK)
                .putHeader(HttpHeaders.CONTENT_TYPE, file.contentType())
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(bytes.length));
        if (request.method().equals(HttpMethod.HEAD)) {
            response.end();
        } else {
            response.end(JsonAnswer.wrapped(bytes, bytes.length));
        }
    }

    private static boolean matches(HttpServerRequest request, ConsoleFile file) {
        return request.headers().getAll(HttpHeaders.IF_NONE_MATCH).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .anyMatch(tag -> tag.equals("*") || tag.equals(file.etag()) || tag.equals("W/" + file.etag()));
    }
}

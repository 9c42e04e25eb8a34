package dev.tidestream.server.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
 * <p>The browser may load, and talk to, this server alone ({@link StaticFile#POLICY}), no page may frame it, and no other learns its
 * address. Event loop.
 */
public final class ConsoleEndpoints implements EndpointFactory {
    /** Where the page is. */
    public static final String PATH = "/";

    static final String INDEX = "index.html";

    /** All there are; resources of a jar cannot be listed. */
    static final List<String> NAMES = List.of(INDEX, "style.css", "docs.css", "icon.svg",
            "access.js", "adapters.js", "admin.js", "app.js", "canary.js", "chart.js", "cluster.js", "colours.js", "compare.js",
            "detail.js", "docs.js", "dom.js", "head.js", "live.js", "load.js", "metrics.js", "pace.js", "parameters.js", "playground.js",
            "streams.js", "tokens.js", "transcript.js", "updates.js", "versions.js", "weights.js", "wire.js");

    private static final String FILES = "/console/";
    private static final int NOT_FOUND = 404;

    private final Map<String, StaticFile> files = new LinkedHashMap<>();

    public ConsoleEndpoints() {
        NAMES.forEach(name -> files.put(name, read(name)));
    }

    private static StaticFile read(String name) {
        try (InputStream in = ConsoleEndpoints.class.getResourceAsStream(FILES + name)) {
            if (in == null) {
                throw new IllegalStateException("no file of the console: " + name);
            }
            return StaticFile.of(name, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("a file of the console cannot be read: " + name, e);
        }
    }

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        Auth open = Auth.of(exchange -> true);
        return List.of(
                Endpoint.get(PATH, open, exchange -> send(exchange, files.get(INDEX))),
                Endpoint.get(FILES + "*", open, exchange -> send(exchange, file(exchange))));
    }

    private @Nullable StaticFile file(Exchange exchange) {
        try {
            return files.get(exchange.rest());
        } catch (IllegalArgumentException _) {
            return null; // what cannot be decoded is no name
        }
    }

    private static void send(Exchange exchange, @Nullable StaticFile file) {
        if (file == null) {
            refuse(exchange);
        } else {
            file.send(exchange);
        }
    }

    /** Answers that there is no such file. */
    public static void refuse(Exchange exchange) {
        String path = JsonAnswer.shown(String.valueOf(exchange.request().path()));
        exchange.refuse(HttpError.of(NOT_FOUND, "not_found", "no such path: " + path));
    }
}

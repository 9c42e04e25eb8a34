package dev.tidestream.server.console.docs;

import java.util.List;
import java.util.Optional;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.console.ConsoleEndpoints;
import dev.tidestream.server.console.StaticFile;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;

/**
 * {@code GET /docs/}: the documentation of this very server, public as the console is. A page that is not made yet is made on a worker,
 * as many at once as there is room for; all others are answered at once. Event loop.
 */
public final class DocsEndpoints implements EndpointFactory {
    /** Where it begins. */
    public static final String PATH = "/docs/";

    private static final Logger log = LoggerFactory.getLogger(DocsEndpoints.class);
    private static final int MOVED = 308;
    private static final int FAULT = 500;

    private volatile @Nullable DocSite site; // made with the first page

    @Override
    public List<Endpoint> endpoints(Loop loop) {
        return List.of(new Endpoint(
                HttpMethod.GET, PATH + "*", Auth.of(exchange -> true), loop.workers(), exchange -> handle(exchange, loop)));
    }

    private void handle(Exchange exchange, Loop loop) {
        String path = path(exchange);
        if (path == null) {
            ConsoleEndpoints.refuse(exchange);
            return;
        }
        if (path.isEmpty() && !String.valueOf(exchange.request().path()).endsWith("/")) {
            exchange.response().setStatusCode(MOVED).putHeader(HttpHeaders.LOCATION, "docs/").end(); // relative, whatever is before it
            return;
        }
        DocSite now = site;
        StaticFile ready = now == null ? null : now.ready(path);
        if (ready != null) {
            ready.send(exchange);
        } else {
            make(exchange, loop, path);
        }
    }

    private void make(Exchange exchange, Loop loop, String path) {
        if (!loop.workers().enter()) {
            exchange.refuse(loop.workers().refusal());
            return;
        }
        Future<Optional<StaticFile>> made = loop.workers().run(exchange, () -> site().at(path));
        made.onComplete(done -> {
            loop.workers().leave();
            if (exchange.response().closed()) {
                return; // the client has gone
            }
            if (done.failed()) {
                log.error("a page of the documentation cannot be made: path={}", path, done.cause());
                exchange.refuse(HttpError.of(FAULT, null, ServerTexts.FAULT));
            } else {
                done.result().ifPresentOrElse(file -> file.send(exchange), () -> ConsoleEndpoints.refuse(exchange));
            }
        });
    }

    private synchronized DocSite site() {
        DocSite now = site;
        if (now == null) {
            now = new DocSite(DocFiles.packed());
            site = now;
        }
        return now;
    }

    private static @Nullable String path(Exchange exchange) {
        try {
            return exchange.rest();
        } catch (IllegalArgumentException _) {
            return null; // what cannot be decoded is no name
        }
    }
}

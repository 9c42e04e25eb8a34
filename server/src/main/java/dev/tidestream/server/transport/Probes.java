package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.JsonAnswer;

/** Health and metrics: for everybody, so that probes need not know a name of the server; they say nothing of what is streamed. */
final class Probes {
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;

    private Probes() {}

    /** @param metrics null for a server that shows none */
    static List<Endpoint> endpoints(Supplier<Readiness> readiness, @Nullable MetricsPage metrics) {
        List<Endpoint> endpoints = new ArrayList<>();
        endpoints.add(Endpoint.get("/health/live", Auth.ANY_HOST,
                exchange -> exchange.answer(OK, json -> json.writeStringField("status", "live"))));
        endpoints.add(Endpoint.get("/health/ready", Auth.ANY_HOST, exchange -> ready(exchange, readiness.get())));
        if (metrics != null) {
            endpoints.add(Endpoint.get("/metrics", Auth.ANY_HOST,
                    exchange -> JsonAnswer.send(exchange.request(), OK, metrics.contentType(), metrics.text().get())));
        }
        return endpoints;
    }

    private static void ready(Exchange exchange, Readiness now) {
        exchange.answer(now == Readiness.READY ? OK : UNAVAILABLE, json -> json.writeStringField("status", now.wireName()));
    }
}

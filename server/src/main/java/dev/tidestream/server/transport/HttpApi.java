package dev.tidestream.server.transport;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.http.RequestRules;
import dev.tidestream.server.transport.websocket.Handshake;

/**
 * Plain HTTP: health, models, metrics, and who may become a WebSocket. Every answer but the metrics is JSON. Event loop.
 *
 * <p>What is under {@code /v1/} is for hosts and origins that {@link RequestRules} allow. Health and metrics are for everybody,
 * so that probes need not know a name of the server; they say nothing of what is streamed.
 */
final class HttpApi {
    private static final String GUARDED = "/v1/";

    private final Supplier<Readiness> readiness;
    private final Supplier<List<ServedModel>> models;
    private final @Nullable MetricsPage metrics;
    private final List<Endpoint> endpoints;
    private final RequestRules rules;
    private final Refusals refusals;
    private final EventLog refusalLog;

    /**
     * @param metrics null for a server that shows none
     * @param endpoints where requests become WebSockets
     * @param refusals counts
     * @param refusalLog where it is written down what was refused
     */
    HttpApi(
            Supplier<Readiness> readiness,
            Supplier<List<ServedModel>> models,
            @Nullable MetricsPage metrics,
            List<Endpoint> endpoints,
            RequestRules rules,
            Refusals refusals,
            EventLog refusalLog) {
        this.readiness = readiness;
        this.models = models;
        this.metrics = metrics;
        this.endpoints = endpoints;
        this.rules = rules;
        this.refusals = refusals;
        this.refusalLog = refusalLog;
    }

    void handle(HttpServerRequest request) {
        String path = String.valueOf(request.path());
        if (rules.refuseMalformed(request) || (path.startsWith(GUARDED) && rules.refuseForeign(request))) {
            return;
        }
        for (Endpoint endpoint : endpoints) {
            if (endpoint.path().equals(path)) {
                enter(request, endpoint);
                return;
            }
        }
        Consumer<HttpServerRequest> resource = switch (path) {
            case "/health/live" -> r -> JsonAnswer.send(r, 200, json -> json.writeStringField("status", "live"));
            case "/health/ready" -> this::readiness;
            case "/v1/models" -> r -> JsonAnswer.send(r, 200, this::models);
            case "/metrics" -> metrics == null ? null : r -> JsonAnswer.send(r, 200, metrics.contentType(), metrics.text().get());
            default -> null;
        };
        if (resource == null) {
            refuse(request, 404, "not_found", "no such path: " + JsonAnswer.shown(path));
        } else if (isAllowed(request)) {
            resource.accept(request);
        }
    }

    private boolean isAllowed(HttpServerRequest request) {
        if (request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD)) {
            return true;
        }
        request.response().putHeader(HttpHeaders.ALLOW, "GET, HEAD");
        refuse(request, 405, "method_not_allowed",
                "only GET and HEAD are allowed: method=" + JsonAnswer.shown(request.method().name()));
        return false;
    }

    private void enter(HttpServerRequest request, Endpoint endpoint) {
        List<String> offered = request.headers().getAll(Handshake.SUBPROTOCOL).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .toList();
        if (endpoint.guard() != null && !isLetIn(request, endpoint.guard().judge(request, offered))) {
            return;
        } else if (!isAllowed(request)) {
            return;
        } else if (!Handshake.isWanted(request) || request.method().equals(HttpMethod.HEAD)) {
            request.response().putHeader(HttpHeaders.UPGRADE, "websocket");
            refuse(request, 426, "upgrade_required", endpoint.path() + " speaks WebSocket, subprotocol " + endpoint.subprotocol());
        } else if (!Handshake.isSupportedVersion(request)) {
            request.response().putHeader(Handshake.VERSION, Handshake.SUPPORTED_VERSION);
            refuse(request, 426, "unsupported_version", "the WebSocket version must be " + Handshake.SUPPORTED_VERSION);
        } else if (Handshake.fault(request) != null) {
            refuse(request, 400, "bad_handshake", JsonAnswer.shown(String.valueOf(Handshake.fault(request))));
        } else if (!offered.contains(endpoint.subprotocol())) {
            refuse(request, 400, "unsupported_subprotocol",
                    "the WebSocket subprotocol must be " + endpoint.subprotocol() + ": offered="
                            + JsonAnswer.shown(offered.stream().filter(entry -> !TokenGuard.isBearer(entry)).toList().toString()));
        } else if (!endpoint.hasRoom().getAsBoolean()) {
            refusals.count(Refusal.CONNECTIONS_FULL);
            refuse(request, 503, "busy", "the server takes no more connections for now");
        } else {
            endpoint.upgrade().accept(request);
        }
    }

    /** Answers who is not; the guard has written it down. */
    private static boolean isLetIn(HttpServerRequest request, TokenGuard.Verdict verdict) {
        return switch (verdict) {
            case TokenGuard.Verdict.Right r -> true;
            case TokenGuard.Verdict.Refused r -> {
                request.response().putHeader("WWW-Authenticate", "Bearer");
                JsonAnswer.refuse(request, 401, "unauthorized", "a bearer token is required, and it must be the right one");
                yield false;
            }
            case TokenGuard.Verdict.Throttled t -> {
                request.response().putHeader("Retry-After", Long.toString(t.retryAfterS()));
                JsonAnswer.refuse(request, 429, "too_many_attempts",
                        "too many wrong tokens from this address, so none is looked at for now: retry_after_s=" + t.retryAfterS());
                yield false;
            }
        };
    }

    private void refuse(HttpServerRequest request, int status, String code, String message) {
        new RefusedRequests(refusalLog, null, String.valueOf(request.remoteAddress()))
                .http(status, code, request.method().name(), String.valueOf(request.path()), message);
        JsonAnswer.refuse(request, status, code, message);
    }

    private void readiness(HttpServerRequest request) {
        Readiness now = readiness.get();
        JsonAnswer.send(request, now == Readiness.READY ? 200 : 503, json -> json.writeStringField("status", now.wireName()));
    }

    private void models(JsonGenerator json) throws IOException {
        json.writeStringField("object", "list");
        json.writeArrayFieldStart("data");
        for (ServedModel model : models.get()) {
            json.writeStartObject();
            json.writeStringField("id", model.id());
            json.writeStringField("object", "model");
            json.writeNumberField("context_length", model.contextLength());
            json.writeNumberField("vocabulary_size", model.vocabularySize());
            if (model.parameters().isPresent()) {
                json.writeNumberField("parameters", model.parameters().getAsLong());
            }
            json.writeNumberField("weights_version", model.weightsVersion());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}

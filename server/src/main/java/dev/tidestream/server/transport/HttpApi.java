package dev.tidestream.server.transport;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.logging.EventLog;

/** Plain HTTP: health, models, and who may become a WebSocket. Every answer is JSON. Event loop. */
final class HttpApi {
    private static final JsonFactory JSON = new JsonFactory();

    /** Writes the fields of an object. */
    private interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    private static final String SUBPROTOCOL_HEADER = "Sec-WebSocket-Protocol";

    private final Supplier<Readiness> readiness;
    private final Supplier<List<ServedModel>> models;
    private final @Nullable MetricsPage metrics;
    private final List<Door> doors;
    private final EventLog refusals;

    /**
     * @param metrics null for a server that shows none
     * @param doors where requests become WebSockets
     * @param refusals where it is written down what was refused
     */
    HttpApi(
            Supplier<Readiness> readiness,
            Supplier<List<ServedModel>> models,
            @Nullable MetricsPage metrics,
            List<Door> doors,
            EventLog refusals) {
        this.readiness = readiness;
        this.models = models;
        this.metrics = metrics;
        this.doors = doors;
        this.refusals = refusals;
    }

    void handle(HttpServerRequest request) {
        String path = String.valueOf(request.path());
        for (Door door : doors) {
            if (door.path().equals(path)) {
                enter(request, door);
                return;
            }
        }
        Consumer<HttpServerRequest> resource = switch (path) {
            case "/health/live" -> r -> answer(r, 200, json -> json.writeStringField("status", "live"));
            case "/health/ready" -> this::readiness;
            case "/v1/models" -> r -> answer(r, 200, this::models);
            case "/metrics" -> metrics == null ? null : r -> show(r, metrics);
            default -> null;
        };
        if (resource == null) {
            refuse(request, 404, "not_found", "no such path: " + path);
        } else if (isGet(request)) {
            resource.accept(request);
        }
    }

    private boolean isGet(HttpServerRequest request) {
        if (request.method().equals(HttpMethod.GET)) {
            return true;
        }
        request.response().putHeader(HttpHeaders.ALLOW, "GET");
        refuse(request, 405, "method_not_allowed", "only GET is allowed: method=" + request.method());
        return false;
    }

    private void enter(HttpServerRequest request, Door door) {
        List<String> offered = request.headers().getAll(SUBPROTOCOL_HEADER).stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .toList();
        if (door.guard() != null && !isLetIn(request, door.guard().judge(request, offered))) {
            return;
        } else if (!isGet(request)) {
            return;
        } else if (!request.headers().contains(HttpHeaders.UPGRADE, "websocket", true)) {
            request.response().putHeader(HttpHeaders.UPGRADE, "websocket");
            refuse(request, 426, "upgrade_required", door.path() + " speaks WebSocket, subprotocol " + door.subprotocol());
        } else if (!offered.contains(door.subprotocol())) {
            refuse(request, 400, "unsupported_subprotocol",
                    "the WebSocket subprotocol must be " + door.subprotocol() + ": offered="
                            + offered.stream().filter(entry -> !TokenGuard.isBearer(entry)).toList());
        } else if (!door.hasRoom().getAsBoolean()) {
            refuse(request, 503, "busy", "the server takes no more connections for now");
        } else {
            request.headers().remove(HttpHeaders.AUTHORIZATION); // nobody behind this door sees the token
            request.headers().set(SUBPROTOCOL_HEADER, door.subprotocol());
            door.upgrade().accept(request);
        }
    }

    /** Answers who is not; the guard has written it down. */
    private static boolean isLetIn(HttpServerRequest request, TokenGuard.Verdict verdict) {
        return switch (verdict) {
            case TokenGuard.Verdict.Right r -> true;
            case TokenGuard.Verdict.Refused r -> {
                request.response().putHeader("WWW-Authenticate", "Bearer");
                error(request, 401, "unauthorized", "a bearer token is required, and it must be the right one");
                yield false;
            }
            case TokenGuard.Verdict.Throttled t -> {
                request.response().putHeader("Retry-After", Long.toString(t.retryAfterS()));
                error(request, 429, "too_many_attempts",
                        "too many wrong tokens from this address, so none is looked at for now: retry_after_s=" + t.retryAfterS());
                yield false;
            }
        };
    }

    private static void show(HttpServerRequest request, MetricsPage page) {
        request.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, page.contentType())
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .end(page.text().get());
    }

    private void readiness(HttpServerRequest request) {
        Readiness now = readiness.get();
        answer(request, now == Readiness.READY ? 200 : 503, json -> json.writeStringField("status", now.wireName()));
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

    private void refuse(HttpServerRequest request, int status, String code, String message) {
        new RefusedRequests(refusals, null, String.valueOf(request.remoteAddress()))
                .http(status, code, request.method().name(), String.valueOf(request.path()), message);
        error(request, status, code, message);
    }

    private static void error(HttpServerRequest request, int status, String code, String message) {
        answer(request, status, json -> {
            json.writeObjectFieldStart("error");
            json.writeStringField("code", code);
            json.writeStringField("message", message);
            json.writeEndObject();
        });
    }

    private static void answer(HttpServerRequest request, int status, Body body) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            body.writeTo(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        request.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .end(text.append('\n').toString());
    }
}

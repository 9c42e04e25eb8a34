package dev.tidestream.server.transport;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;

import dev.tidestream.protocol.Protocol;

/** Plain HTTP: health, models, and who may become a WebSocket. Every answer is JSON. Event loop. */
final class HttpApi {
    private static final JsonFactory JSON = new JsonFactory();

    /** Writes the fields of an object. */
    private interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    private final BooleanSupplier ready;
    private final Supplier<List<ServedModel>> models;
    private final BooleanSupplier roomForWebSocket;
    private final Consumer<HttpServerRequest> upgrade;

    /** @param upgrade takes over a request that asks for the right subprotocol */
    HttpApi(
            BooleanSupplier ready,
            Supplier<List<ServedModel>> models,
            BooleanSupplier roomForWebSocket,
            Consumer<HttpServerRequest> upgrade) {
        this.ready = ready;
        this.models = models;
        this.roomForWebSocket = roomForWebSocket;
        this.upgrade = upgrade;
    }

    void handle(HttpServerRequest request) {
        String path = String.valueOf(request.path());
        Consumer<HttpServerRequest> resource = switch (path) {
            case Protocol.PATH -> this::stream;
            case "/health/live" -> r -> answer(r, 200, json -> json.writeStringField("status", "live"));
            case "/health/ready" -> this::readiness;
            case "/v1/models" -> r -> answer(r, 200, this::models);
            default -> null;
        };
        if (resource == null) {
            refuse(request, 404, "not_found", "no such path: " + path);
        } else if (!request.method().equals(HttpMethod.GET)) {
            request.response().putHeader(HttpHeaders.ALLOW, "GET");
            refuse(request, 405, "method_not_allowed", "only GET is allowed: method=" + request.method());
        } else {
            resource.accept(request);
        }
    }

    private void stream(HttpServerRequest request) {
        List<String> offered = request.headers().getAll("Sec-WebSocket-Protocol").stream()
                .flatMap(header -> Arrays.stream(header.split(",", -1)))
                .map(String::strip)
                .toList();
        if (!request.headers().contains(HttpHeaders.UPGRADE, "websocket", true)) {
            request.response().putHeader(HttpHeaders.UPGRADE, "websocket");
            refuse(request, 426, "upgrade_required", Protocol.PATH + " speaks WebSocket, subprotocol " + Protocol.SUBPROTOCOL);
        } else if (!offered.contains(Protocol.SUBPROTOCOL)) {
            refuse(request, 400, "unsupported_subprotocol",
                    "the WebSocket subprotocol must be " + Protocol.SUBPROTOCOL + ": offered=" + offered);
        } else if (!roomForWebSocket.getAsBoolean()) {
            refuse(request, 503, "busy", "the server takes no more connections for now");
        } else {
            upgrade.accept(request);
        }
    }

    private void readiness(HttpServerRequest request) {
        boolean isReady = ready.getAsBoolean();
        answer(request, isReady ? 200 : 503, json -> json.writeStringField("status", isReady ? "ready" : "starting"));
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

    private static void refuse(HttpServerRequest request, int status, String code, String message) {
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

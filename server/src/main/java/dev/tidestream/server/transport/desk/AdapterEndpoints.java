package dev.tidestream.server.transport.desk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.http.HttpMethod;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Body;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.endpoint.RequestRefusedException;
import dev.tidestream.server.transport.http.HttpError;

/**
 * {@code POST /v1/load_lora_adapter} and {@code POST /v1/unload_lora_adapter}, as vLLM has them, for administrators: bodies
 * {@code {"lora_name","lora_path"}} and {@code {"lora_name"}}. Source: vLLM's {@code serving_models.py}. Event loop.
 */
public final class AdapterEndpoints {
    private static final int MAX_BODY_BYTES = 64 << 10;
    private static final JsonInput JSON = new JsonInput(MAX_BODY_BYTES, 4, 16, 256);
    private static final String NAME = "lora_name";
    private static final String PATH = "lora_path";

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int FAULT = 500;
    private static final int UNAVAILABLE = 503;
    private static final int NO_ROOM = 507;

    private final DeskCalls desk;

    /** @param desk answers */
    public AdapterEndpoints(DeskCalls desk) {
        this.desk = desk;
    }

    /** @param auth lets administrators in */
    public List<Endpoint> endpoints(Auth auth) {
        return List.of(
                new Endpoint(HttpMethod.POST, "/v1/load_lora_adapter", auth, desk, exchange -> read(exchange, Set.of(NAME, PATH))),
                new Endpoint(HttpMethod.POST, "/v1/unload_lora_adapter", auth, desk, exchange -> read(exchange, Set.of(NAME))));
    }

    private void read(Exchange exchange, Set<String> fields) {
        exchange.body(MAX_BODY_BYTES).onSuccess(body -> asked(exchange, fields, body)).onFailure(e -> {
            if (e instanceof RequestRefusedException refused) {
                exchange.refuse(refused.error());
            }
        });
    }

    private void asked(Exchange exchange, Set<String> fields, Body body) {
        JsonNode json;
        try {
            json = JSON.tree(body.bytes().toString());
        } catch (JsonProcessingException e) {
            refuse(exchange, "malformed_json", "the body is not JSON: " + e.getOriginalMessage());
            return;
        } finally {
            body.release();
        }
        for (String field : fields) {
            int limit = field.equals(NAME) ? Protocol.MAX_ID_CHARS : AdminProtocol.MAX_PATH_CHARS;
            JsonNode value = json.path(field);
            if (!value.isTextual() || value.textValue().isEmpty() || value.textValue().length() > limit) {
                refuse(exchange, "invalid_value", "%s must be a text of 1..%d characters".formatted(field, limit));
                return;
            }
        }
        String name = json.path(NAME).textValue();
        desk.ask(exchange, ref -> fields.contains(PATH)
                ? new AdminRequest.AdapterLoad(ref, name, json.path(PATH).textValue())
                : new AdminRequest.AdapterUnload(ref, name), reply -> answer(exchange, reply));
    }

    private static void refuse(Exchange exchange, String code, String message) {
        exchange.refuse(HttpError.of(BAD_REQUEST, code, message));
    }

    private static void answer(Exchange exchange, AdminReply reply) {
        switch (reply) {
            case AdminReply.Ack ack -> exchange.answer(OK, json -> {
                json.writeStringField("object", "adapter");
                ack.details().forEach((name, value) -> write(json, name, value));
            });
            case AdminReply.Failed failed ->
                exchange.refuse(HttpError.of(status(failed.code()), failed.code().wireName(), failed.message()));
            case AdminReply.Progress progress -> throw new IllegalArgumentException("progress ends nothing: " + progress);
        }
    }

    /** A field of an ack: see {@link AdminReply.Ack#details}. */
    private static void write(JsonGenerator json, String name, Object value) {
        try {
            json.writeFieldName(name);
            switch (value) {
                case String text -> json.writeString(text);
                case Boolean truth -> json.writeBoolean(truth);
                case Long number -> json.writeNumber(number);
                case List<?> texts -> {
                    json.writeStartArray();
                    for (Object text : texts) {
                        json.writeString(String.valueOf(text));
                    }
                    json.writeEndArray();
                }
                default -> throw new IllegalArgumentException("no field of an adapter: %s=%s".formatted(name, value));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whatever is the server's fault or passes is no fault of the request. */
    private static int status(AdminErrorCode code) {
        if (code == AdminErrorCode.UNKNOWN_ADAPTER) {
            return NOT_FOUND;
        }
        if (code == AdminErrorCode.ADAPTER_EXISTS || code == AdminErrorCode.TOO_MANY_ADAPTERS) {
            return CONFLICT;
        }
        if (code == AdminErrorCode.BUDGET_EXCEEDED) {
            return NO_ROOM;
        }
        if (code == AdminErrorCode.BUSY || code == AdminErrorCode.SHUTTING_DOWN) {
            return UNAVAILABLE;
        }
        return code == AdminErrorCode.INTERNAL ? FAULT : BAD_REQUEST;
    }
}

package dev.tidestream.server.openai;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonGenerator;

import dev.tidestream.server.transport.endpoint.Auth;
import dev.tidestream.server.transport.endpoint.Endpoint;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;

/** {@code GET /v1/models} and {@code /v1/models/{id}}; ids may have slashes. */
public final class ModelEndpoints {
    private static final String PATH = "/v1/models";
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;

    private ModelEndpoints() {}

    /**
     * {@code GET /v1/models} and {@code GET /v1/models/ID}.
     *
     * @param model asked for each answer, on the event loop
     * @param adapters asked likewise; each is a model whose parent is this one
     */
    public static List<Endpoint> endpoints(Supplier<ServedModel> model, AdapterNames adapters) {
        return List.of(
                Endpoint.get(PATH, Auth.OWN_HOST, exchange -> exchange.answer(OK, json -> {
                    json.writeStringField("object", "list");
                    json.writeArrayFieldStart("data");
                    json.writeStartObject();
                    write(json, model.get());
                    json.writeEndObject();
                    for (AdapterNames.Named adapter : adapters.all()) {
                        json.writeStartObject();
                        write(json, model.get(), adapter);
                        json.writeEndObject();
                    }
                    json.writeEndArray();
                })),
                Endpoint.get(PATH + "/*", Auth.OWN_HOST, exchange -> one(exchange, model.get(), adapters.all())));
    }

    private static void one(Exchange exchange, ServedModel model, List<AdapterNames.Named> adapters) {
        String asked = asked(exchange);
        if (asked.equals(model.id())) {
            exchange.answer(OK, json -> write(json, model));
            return;
        }
        Optional<AdapterNames.Named> found = adapters.stream().filter(adapter -> adapter.name().equals(asked)).findFirst();
        if (found.isPresent()) {
            exchange.answer(OK, json -> write(json, model, found.get()));
        } else {
            exchange.refuse(HttpError.of(NOT_FOUND, "model_not_found", "model",
                    "The model '%s' does not exist; this server has '%s'".formatted(JsonAnswer.shown(asked), JsonAnswer.shown(model.id()))));
        }
    }

    private static String asked(Exchange exchange) {
        try {
            return exchange.rest();
        } catch (IllegalArgumentException e) {
            return String.valueOf(exchange.request().path()); // no id is written like that
        }
    }

    private static void write(JsonGenerator json, ServedModel model) throws IOException {
        write(json, model, model.id(), model.createdS());
    }

    private static void write(JsonGenerator json, ServedModel model, AdapterNames.Named adapter) throws IOException {
        write(json, model, adapter.name(), adapter.createdS());
        json.writeStringField("parent", model.id());
    }

    private static void write(JsonGenerator json, ServedModel model, String id, long createdS) throws IOException {
        json.writeStringField("id", id);
        json.writeStringField("object", "model");
        json.writeNumberField("created", createdS);
        json.writeStringField("owned_by", "tidestream");
        json.writeNumberField("max_model_len", model.contextLength());
        json.writeNumberField("context_length", model.contextLength());
        json.writeNumberField("vocabulary_size", model.vocabularySize());
        if (model.parameters().isPresent()) {
            json.writeNumberField("parameters", model.parameters().getAsLong());
        }
        json.writeNumberField("weights_version", model.weightsVersion());
    }
}

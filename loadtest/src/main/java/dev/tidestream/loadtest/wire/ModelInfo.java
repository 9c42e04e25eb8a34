package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.URI;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.protocol.JsonInput;

/**
 * What {@code GET /v1/models} says of the first model.
 *
 * @param vocabularySize 0 if it does not say
 * @param contextLength most tokens of one stream, prompt and output together; 0 if it does not say
 * @param parameters 0 if it does not say
 */
public record ModelInfo(String id, int vocabularySize, int contextLength, long parameters) {
    /**
     * Asks a server; blocks.
     *
     * @param anyUrl of the server, with the scheme ws, wss, http or https; its path is replaced
     * @param key that it wants
     * @throws IOException if there is no such answer; the message names the address
     */
    public static ModelInfo of(URI anyUrl, ApiKey key) throws IOException, InterruptedException {
        JsonNode model = json(anyUrl, HttpGet.page(anyUrl, "/v1/models", key)).path("data").path(0);
        JsonNode meta = model.path("meta"); // llama.cpp's
        int context = model.path("context_length").asInt(meta.path("n_ctx").asInt(meta.path("n_ctx_train").asInt(0)));
        int size = model.path("vocabulary_size").asInt(meta.path("n_vocab").asInt(0));
        long parameters = model.path("parameters").asLong(meta.path("n_params").asLong(0));
        return new ModelInfo(model.path("id").asText("model"), size, context, parameters);
    }

    private static JsonNode json(URI url, String body) throws IOException {
        try {
            return new ObjectMapper(JsonInput.unboundedFactory()).readTree(body);
        } catch (JsonProcessingException e) {
            throw new IOException("%s answers what is not JSON: %s".formatted(url, e.getOriginalMessage()), e);
        }
    }
}

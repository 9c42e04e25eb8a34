package dev.tidestream.loadtest.wire;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.JsonInput;

/**
 * What {@code GET /v1/models} says of the first model.
 *
 * @param vocabularySize 0 if it does not say
 * @param contextLength most tokens of one stream, prompt and output together; 0 if it does not say
 * @param parameters 0 if it does not say
 */
public record ModelInfo(String id, int vocabularySize, int contextLength, long parameters) {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int OK = 200;

    /**
     * Asks a server; blocks.
     *
     * @param anyUrl of the server, with the scheme ws, wss, http or https; its path is replaced
     * @throws IOException if there is no such answer; the message names the address
     */
    public static ModelInfo of(URI anyUrl) throws IOException, InterruptedException {
        URI url = URI.create((anyUrl.toString().startsWith("wss") || anyUrl.toString().startsWith("https") ? "https" : "http")
                + "://"
                + anyUrl.getRawAuthority() + "/v1/models");
        try (HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build()) {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(url).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != OK) {
                throw new IOException("%s answers with HTTP status %d".formatted(url, response.statusCode()));
            }
            JsonNode model = json(url, response.body()).path("data").path(0);
            JsonNode meta = model.path("meta"); // llama.cpp's
            int context = model.path("context_length").asInt(meta.path("n_ctx").asInt(meta.path("n_ctx_train").asInt(0)));
            int size = model.path("vocabulary_size").asInt(meta.path("n_vocab").asInt(0));
            long parameters = model.path("parameters").asLong(meta.path("n_params").asLong(0));
            return new ModelInfo(model.path("id").asText("model"), size, context, parameters);
        } catch (ConnectException | HttpTimeoutException e) {
            throw new IOException("cannot connect to %s: %s".formatted(url, Reasons.of(e)), e);
        }
    }

    private static JsonNode json(URI url, String body) throws IOException {
        try {
            return new ObjectMapper(JsonInput.unboundedFactory()).readTree(body);
        } catch (JsonProcessingException e) {
            throw new IOException("%s answers what is not JSON: %s".formatted(url, e.getOriginalMessage()), e);
        }
    }
}

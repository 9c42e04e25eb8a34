package dev.tidestream.server.cli.receipt;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.CliException;

/** A server that verifies receipts. The key for it appears in no message. */
final class ReceiptServer {
    static final String KEYS_PATH = "/.well-known/jwks.json";

    private static final String VERIFY_PATH = "/v1/verify";
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final int OK = 200;
    private static final int MAX_BODY_BYTES = 1 << 22;
    private static final int MAX_SHOWN_CHARS = 500;

    private final URI base;
    private final Optional<String> key;

    ReceiptServer(URI base, Optional<String> key) {
        this.base = base;
        this.key = key;
    }

    /** Its public keys, as text. */
    String keys() {
        return ask(request(KEYS_PATH).GET().build());
    }

    /** What it says of a receipt, which may take as long as the stream did. */
    JsonNode verify(ObjectNode body) {
        HttpRequest request = request(VERIFY_PATH).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString())).build();
        try {
            return new ObjectMapper().readTree(ask(request));
        } catch (JsonProcessingException e) {
            throw new CliException("%s: the answer is not JSON: %s".formatted(request.uri(), e.getOriginalMessage()), e);
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path)).header("Accept", "application/json");
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        return request;
    }

    private static String ask(HttpRequest request) {
        try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT).build()) {
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            String body;
            try (InputStream in = response.body()) {
                body = new String(in.readNBytes(MAX_BODY_BYTES), StandardCharsets.UTF_8);
            }
            if (response.statusCode() != OK) {
                throw new CliException("%s: the server refused: status=%d, %s".formatted(
                        request.uri(), response.statusCode(), Printable.value(refusal(body), MAX_SHOWN_CHARS)));
            }
            return body;
        } catch (IOException e) {
            throw new CliException("%s: %s".formatted(request.uri(), Reasons.of(e)), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
    }

    private static String refusal(String body) {
        try {
            return new ObjectMapper().readTree(body).path("error").path("message").asText(body);
        } catch (JsonProcessingException _) {
            return body; // shown as it is
        }
    }
}

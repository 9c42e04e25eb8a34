package dev.tidestream.server.cli.cluster;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.admin.AdminProtocol;

/** Talks to {@code /admin/cluster} of a node. One thread. */
final class ClusterClient implements AutoCloseable {
    private static final int MAX_ANSWER_CHARS = 64 << 20;
    private static final JsonInput JSON = new JsonInput(MAX_ANSWER_CHARS, 8, 1 << 20, 4096);
    private static final int FIRST_ERROR = 400;
    private static final int NOT_FOUND = 404;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final HttpClient http;
    private final String base;
    private final String token;

    /** @param admin where administrators come in over WebSockets, which says which server it is */
    ClusterClient(URI admin, String token, Duration timeout) {
        this.http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(timeout).build();
        String path = admin.getPath();
        this.base = "%s://%s%s/admin/cluster".formatted("wss".equals(admin.getScheme().toLowerCase(Locale.ROOT)) ? "https" : "http",
                admin.getAuthority(), path.substring(0, path.length() - AdminProtocol.PATH.length()));
        this.token = token;
    }

    /** @throws IOException if the server cannot be reached, or refuses; says why */
    JsonNode get(String rest) throws IOException, InterruptedException {
        return send(request(rest).GET());
    }

    /** @throws IOException if the server cannot be reached, or refuses; says why */
    JsonNode post(String rest, String body) throws IOException, InterruptedException {
        return send(request(rest).header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String rest) {
        return HttpRequest.newBuilder(URI.create(base + rest)).timeout(PATIENCE).header("authorization", "Bearer " + token);
    }

    private JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response;
        try {
            response = http.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (ConnectException e) {
            throw new IOException("cannot connect to %s".formatted(base), e);
        }
        if (response.statusCode() == NOT_FOUND) {
            throw new IOException("%s: the server is no node of a cluster".formatted(base));
        }
        JsonNode answer;
        try {
            answer = JSON.tree(response.body().isEmpty() ? "{}" : response.body());
        } catch (JsonProcessingException e) {
            throw new IOException("%s answered with no JSON: status=%d".formatted(base, response.statusCode()), e);
        }
        if (response.statusCode() >= FIRST_ERROR) {
            JsonNode error = answer.path("error");
            throw new IOException("refused: %s: %s".formatted(
                    error.path("code").asText("status " + response.statusCode()), error.path("message").asText("no reason was given")));
        }
        return answer;
    }

    @Override
    public void close() {
        http.close();
    }
}

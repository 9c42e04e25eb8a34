package dev.tidestream.server.cli.weights;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicLong;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.cli.admin.AdminProgress;

/** Talks to {@code /admin/weights} of a server. One thread. */
final class WeightsClient implements AutoCloseable {
    private static final int MAX_ANSWER_CHARS = 64 << 20;
    private static final int MAX_DEPTH = 8;
    private static final int MAX_FIELDS = 1 << 20;
    private static final int MAX_NAME_CHARS = 4096;
    private static final JsonInput JSON = new JsonInput(MAX_ANSWER_CHARS, MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);
    private static final int FIRST_ERROR = 400;

    private final HttpClient http;
    private final String base;
    private final String token;

    /** @param admin where administrators come in over WebSockets, which says which server it is */
    WeightsClient(URI admin, String token, Duration timeout) {
        this.http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(timeout).build();
        String path = admin.getPath();
        this.base = "%s://%s%s/admin/weights/".formatted("wss".equals(admin.getScheme().toLowerCase(Locale.ROOT)) ? "https" : "http",
                admin.getAuthority(), path.substring(0, path.length() - AdminProtocol.PATH.length()));
        this.token = token;
    }

    /** @throws IOException if the server cannot be reached, or refuses; says why */
    JsonNode get(String path) throws IOException, InterruptedException {
        return send(request(path).GET());
    }

    /** @param body JSON; null for none */
    JsonNode post(String path, @Nullable String body) throws IOException, InterruptedException {
        return send(request(path).header("content-type", "application/json")
                .POST(body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body)));
    }

    /** Asks that something ends. */
    JsonNode delete(String path) throws IOException, InterruptedException {
        return send(request(path).DELETE());
    }

    /** Sends a file as a part; read twice, so that it need not fit in memory. */
    void part(String path, Path file, AdminProgress progress) throws IOException, InterruptedException {
        String sha256;
        try (InputStream in = Files.newInputStream(file)) {
            sha256 = Sha256.of(in);
        }
        long size = Files.size(file);
        var _ = send(request(path).header("x-content-sha256", sha256).PUT(sending(file, size, progress)));
    }

    private static HttpRequest.BodyPublisher sending(Path file, long size, AdminProgress progress) throws FileNotFoundException {
        HttpRequest.BodyPublisher whole = HttpRequest.BodyPublishers.ofFile(file);
        AtomicLong sent = new AtomicLong();
        return new HttpRequest.BodyPublisher() {
            @Override
            public long contentLength() {
                return whole.contentLength();
            }

            @Override
            public void subscribe(Flow.Subscriber<? super ByteBuffer> to) {
                whole.subscribe(new Flow.Subscriber<>() {
                    @Override
                    public void onSubscribe(Flow.Subscription subscription) {
                        to.onSubscribe(subscription);
                    }

                    @Override
                    public void onNext(ByteBuffer bytes) {
                        progress.report("sending " + file.getFileName(), sent.addAndGet(bytes.remaining()), size);
                        to.onNext(bytes);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        to.onError(failure);
                    }

                    @Override
                    public void onComplete() {
                        to.onComplete();
                    }
                });
            }
        };
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).header("authorization", "Bearer " + token);
    }

    private JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpRequest built = request.build();
        HttpResponse<String> response;
        try {
            response = http.send(built, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (ConnectException e) {
            throw new IOException("cannot connect to %s".formatted(base), e);
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

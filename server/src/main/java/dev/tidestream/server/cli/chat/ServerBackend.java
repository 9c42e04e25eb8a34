package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.cli.terminal.CliException;

/** A server that has {@code POST /v1/chat/completions}, ours or another's. The key appears in no message. */
final class ServerBackend implements Backend {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final int OK = 200;
    private static final int MAX_BODY_CHARS = 1 << 22;
    private static final int MAX_SHOWN_CHARS = 500;
    static final JsonInput JSON = new JsonInput(MAX_BODY_CHARS, 100, 100_000, 65_536);

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_TIMEOUT).build();
    private final URI base;
    private final Optional<String> key;
    private final String model;

    /**
     * Connects.
     *
     * @param base ends in {@code /v1}
     * @param model what the server calls it; empty: the first one that the server lists
     * @throws CliException if the server does not answer, or lists no model
     */
    ServerBackend(URI base, Optional<String> key, Optional<String> model) {
        this.base = base;
        this.key = key;
        this.model = model.orElseGet(this::firstModel);
    }

    /** Of a role or a policy. */
    static String wire(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private String firstModel() {
        HttpRequest request = request("/models").GET().build();
        try {
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            String body = text(response.body());
            if (response.statusCode() != OK) {
                throw new CliException("%s: %s".formatted(request.uri(), refusal(response.statusCode(), body).getMessage()));
            }
            JsonNode id = JSON.tree(body).path("data").path(0).path("id");
            if (!id.isTextual()) {
                throw new CliException("%s: lists no model; name one with --server-model".formatted(request.uri()));
            }
            return id.textValue();
        } catch (JsonProcessingException e) {
            throw new CliException("%s: the answer is not JSON: %s".formatted(request.uri(), e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new CliException("%s: %s".formatted(request.uri(), Reasons.of(e)), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .header("Accept", "application/json, text/event-stream");
        key.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        return request;
    }

    @Override
    public String description() {
        return "%s at %s".formatted(model, base);
    }

    @Override
    public Answer answer(List<ChatMessage> conversation, ChatSettings settings, Consumer<String> text, StopSwitch stop) {
        HttpRequest request = request("/chat/completions").header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body(conversation, settings).toString())).build();
        AnswerStream answer = new AnswerStream(text);
        try {
            HttpResponse<InputStream> response = send(request, stop);
            if (response.statusCode() != OK) {
                throw refusal(response.statusCode(), text(response.body()));
            }
            stop.onRequest(() -> close(response.body()));
            try (Reader in = new InputStreamReader(response.body(), StandardCharsets.UTF_8)) {
                answer.read(new EventLines(in, MAX_BODY_CHARS));
            }
        } catch (IOException e) {
            if (!stop.requested()) {
                throw ChatFailedException.of("%s: %s".formatted(base, Reasons.of(e)));
            }
        } catch (InterruptedException e) {
            if (!stop.requested()) {
                Thread.currentThread().interrupt();
                throw ChatFailedException.of("interrupted");
            }
        } finally {
            if (stop.requested()) {
                Thread.interrupted(); // a wish that came with the head of the answer is fulfilled, too
            }
        }
        return answer.answer(stop.requested());
    }

    /** Waits for the head of the answer, or the wish to stop. */
    private HttpResponse<InputStream> send(HttpRequest request, StopSwitch stop) throws IOException, InterruptedException {
        Thread waiting = Thread.currentThread();
        boolean[] arrived = {false};
        stop.onRequest(() -> {
            synchronized (arrived) {
                if (!arrived[0]) {
                    waiting.interrupt();
                }
            }
        });
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } finally {
            synchronized (arrived) {
                arrived[0] = true;
            }
        }
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (IOException _) {
            // the reader sees the end, which is what was wanted
        }
    }

    private ObjectNode body(List<ChatMessage> conversation, ChatSettings settings) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("model", model);
        for (ChatMessage message : conversation) {
            body.withArray("messages").addObject().put("role", wire(message.role())).put("content", message.text());
        }
        body.put("stream", true);
        body.putObject("stream_options").put("include_usage", true);
        for (Setting setting : Setting.values()) { // what the user did not say is the server's choice
            Double value = settings.said(setting);
            if (value != null && setting.whole()) {
                body.put(setting.field(), value.longValue());
            } else if (value != null) {
                body.put(setting.field(), value.floatValue());
            }
        }
        settings.seed().ifPresent(seed -> body.put("seed", seed));
        settings.stop().forEach(stop -> body.withArray("stop").add(stop));
        if (settings.weights() != WeightsPolicy.PIN) {
            body.putObject("tidestream").put("weights", "follow");
        }
        return body;
    }

    private static ChatFailedException refusal(int status, String body) {
        String message = body;
        String code = "";
        try {
            JsonNode error = JSON.tree(body).path("error");
            message = error.path("message").asText(body);
            code = error.path("code").asText("");
        } catch (JsonProcessingException _) {
            // shown as it is
        }
        return refusal("the server refused: status=%d, %s".formatted(status, Printable.value(message, MAX_SHOWN_CHARS)), code);
    }

    static ChatFailedException refusal(String message, String code) {
        return code.equals("context_length_exceeded") ? ChatFailedException.tooLong(message) : ChatFailedException.of(message);
    }

    private static String text(InputStream body) throws IOException {
        try (body) {
            return new String(body.readNBytes(MAX_BODY_CHARS), StandardCharsets.UTF_8);
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}

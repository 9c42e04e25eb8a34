package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/**
 * Any server with OpenAI's {@code /v1/completions} as SSE: the baseline. A stream is a request of its own on a connection of its
 * own: llama.cpp's server closes a connection after a streamed answer, now and then just when the next request is on its way.
 * Every event with text (llama.cpp's: every event before the last) counts as a token; credit and weights do not exist there.
 */
public final class OpenAiTarget implements Target {
    private static final int HTTP_OK = 200;
    private static final ObjectMapper JSON = new ObjectMapper(JsonInput.unboundedFactory());

    private final HttpClient http;
    private final Io io;
    private final URI url;
    private final String model;
    private final LongSupplier nanoTime;

    /**
     * Connects when it is told to.
     *
     * @param url of the completions endpoint
     * @param key that the server wants
     */
    public OpenAiTarget(Io io, URI url, String model, ApiKey key, LongSupplier nanoTime) {
        this.io = io;
        this.url = url;
        this.model = model;
        this.nanoTime = nanoTime;
        this.http = key.shownBy(io.http()).keepAlive(false);
    }

    @Override
    public String name() {
        return "openai " + url;
    }

    @Override
    public boolean countsFrames() {
        return false;
    }

    @Override
    public void connect(Link.Listener listener) {
        io.execute(() -> listener.opened(new SseLink(listener)));
    }

    private final class SseLink implements Link {
        private final Listener listener;
        private final Map<String, Disposable> requests = new HashMap<>();

        SseLink(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void start(StreamRequest request) {
            Events events = new Events(request.id(), listener, nanoTime);
            byte[] body = body(request);
            Disposable running = http.headers(h -> h.set("Content-Type", "application/json").set("Accept", "text/event-stream"))
                    .post()
                    .uri(url)
                    .send(Mono.fromSupplier(() -> Unpooled.wrappedBuffer(body)))
                    .response((response, content) -> {
                        if (response.status().code() != HTTP_OK) {
                            return content.aggregate().asString().defaultIfEmpty("").flatMapMany(text -> {
                                events.failed("HTTP status " + response.status().code() + ": " + text);
                                return Flux.<ByteBuf>empty();
                            });
                        }
                        events.accepted();
                        return content.doOnNext(events::bytes);
                    })
                    .subscribe(_ -> { }, error -> events.failed(Reasons.of(error)), events::end);
            requests.values().removeIf(Disposable::isDisposed);
            requests.put(request.id(), running);
        }

        @Override
        public void credit(String id, int tokens) {
            throw new IllegalStateException("SSE has no credit");
        }

        @Override
        public void cancel(String id) {
            Disposable running = requests.remove(id);
            if (running != null) {
                running.dispose();
                listener.message(new ServerMessage.Finished(id, FinishReason.CANCELLED, new Usage(0, 0), new Timing(0, 0, 0, 0)),
                        nanoTime.getAsLong());
            }
        }

        @Override
        public void watch() {
            // there is nothing to watch
        }

        @Override
        public void pauseReading(boolean pause) {
            throw new IllegalStateException("not over SSE");
        }

        @Override
        public void vanish() {
            requests.values().forEach(Disposable::dispose);
            requests.clear();
            listener.closed("vanished", nanoTime.getAsLong());
        }

        @Override
        public void close() {
            requests.values().forEach(Disposable::dispose);
            requests.clear();
        }
    }

    private byte[] body(StreamRequest request) {
        ObjectNode body = JSON.createObjectNode();
        body.put("model", model);
        String text = request.prompt().text();
        int[] tokens = request.prompt().tokens();
        if (tokens != null) {
            ArrayNode array = body.putArray("prompt");
            for (int token : tokens) {
                array.add(token);
            }
        } else {
            body.put("prompt", text);
        }
        body.put("max_tokens", request.prompt().maxTokens());
        body.put("temperature", request.sampling().temperature());
        body.put("seed", request.sampling().seed() & 0x7fff_ffff);
        body.put("stream", true);
        body.putObject("stream_options").put("include_usage", true);
        if (request.sampling().suppressed() >= 0) {
            body.putObject("logit_bias").put(Integer.toString(request.sampling().suppressed()), -100);
        }
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Events of one response, turned into the frames of a stream. */
    static final class Events {
        private final String id;
        private final Link.Listener listener;
        private final LongSupplier nanoTime;
        private final java.io.ByteArrayOutputStream line = new java.io.ByteArrayOutputStream();
        private int seq;
        private int promptTokens;
        private int usageTokens = -1;
        private FinishReason reason = FinishReason.LENGTH;
        private boolean ended;

        Events(String id, Link.Listener listener, LongSupplier nanoTime) {
            this.id = id;
            this.listener = listener;
            this.nanoTime = nanoTime;
        }

        void accepted() {
            listener.message(new ServerMessage.Accepted(id, 0, 0, 0, 0), nanoTime.getAsLong());
        }

        void bytes(ByteBuf buffer) {
            long nowNs = nanoTime.getAsLong();
            while (buffer.isReadable()) {
                byte b = buffer.readByte();
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                String text = line.toString(StandardCharsets.UTF_8).strip();
                line.reset();
                if (text.startsWith("data:")) {
                    event(text.substring("data:".length()).strip(), nowNs);
                }
            }
        }

        private void event(String data, long nowNs) {
            if (ended || data.equals("[DONE]")) {
                return;
            }
            JsonNode event;
            try {
                event = JSON.readTree(data);
            } catch (JsonProcessingException e) {
                listener.garbage(id + ": not a JSON event: " + data, nowNs);
                return;
            }
            if (event.has("error")) {
                failed(event.get("error").toString());
                return;
            }
            if (event.path("usage").isObject()) {
                promptTokens = event.path("usage").path("prompt_tokens").asInt(0);
                usageTokens = event.path("usage").path("completion_tokens").asInt(-1);
            }
            JsonNode choice = event.path("choices").path(0);
            String finish = choice.path("finish_reason").asText("");
            if (finish.equals("stop")) {
                reason = FinishReason.STOP;
            }
            boolean last = !finish.isEmpty() && !finish.equals("null");
            if (choice.has("text") && !(last && choice.path("text").asText().isEmpty())) {
                listener.message(new ServerMessage.Token(id, seq++, 0, choice.path("text").asText(), 0, null,
                        java.util.List.of()), nowNs);
            }
        }

        void failed(String why) {
            if (!ended) {
                ended = true;
                listener.message(new ServerMessage.Failed(id, ErrorCode.INTERNAL, why), nanoTime.getAsLong());
            }
        }

        void end() {
            if (!ended) {
                ended = true;
                Usage usage = new Usage(promptTokens, usageTokens < 0 ? seq : usageTokens);
                listener.message(new ServerMessage.Finished(id, reason, usage, new Timing(0, 0, 0, 0)), nanoTime.getAsLong());
            }
        }
    }
}

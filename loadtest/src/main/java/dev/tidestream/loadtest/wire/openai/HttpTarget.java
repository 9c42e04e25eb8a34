package dev.tidestream.loadtest.wire.openai;

import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;

import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.wire.Io;
import dev.tidestream.loadtest.wire.Link;
import dev.tidestream.loadtest.wire.StreamRequest;
import dev.tidestream.loadtest.wire.Target;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/**
 * Any server with one of OpenAI's wires as server-sent events. A stream is a request on a connection of its own: so a client
 * can leave, or read slowly, without others; and llama.cpp's server closes a connection after a streamed answer, now and
 * then just when the next request is on its way. Credit and updates do not exist there.
 */
public final class HttpTarget implements Target {
    private static final int HTTP_OK = 200;
    private static final int MAX_ERROR_BYTES = 64 << 10;

    private final HttpClient http;
    private final Io io;
    private final Api.Endpoint endpoint;
    private final String model;
    private final LongSupplier nanoTime;
    private boolean own;

    /**
     * @param model to name to the server
     * @param own whether the server is known to be a Tidestream; it may turn out to be one
     * @param key for the header {@code Authorization}; null: without
     */
    public HttpTarget(Io io, Api.Endpoint endpoint, String model, boolean own, @Nullable String key, LongSupplier nanoTime) {
        this.io = io;
        this.endpoint = endpoint;
        this.model = model;
        this.own = own;
        this.nanoTime = nanoTime;
        this.http = io.http(key).keepAlive(false).disableRetry(true)
                .headers(h -> h.set("Content-Type", "application/json").set("Accept", "text/event-stream"));
    }

    @Override
    public String name() {
        return "openai " + endpoint.api() + " " + endpoint.url();
    }

    @Override
    public boolean framesAreItsOwn() {
        return false;
    }

    @Override
    public int streamsPerConnection() {
        return 1;
    }

    @Override
    public void connect(Link.Listener listener) {
        io.execute(() -> listener.opened(new RequestLink(listener)));
    }

    /** One request after the other. */
    private final class RequestLink implements Link {
        private final Listener listener;
        private @Nullable Request running;

        RequestLink(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void start(StreamRequest request) {
            Request next = new Request(request, listener);
            running = next;
            next.send();
        }

        @Override
        public void resume(String id, String name, int afterSeq) {
            throw new IllegalStateException("nothing to resume on OpenAI's wires: stream=" + id);
        }

        @Override
        public void credit(String id, int tokens) {
            throw new IllegalStateException("no credit over HTTP: stream=" + id);
        }

        @Override
        public void cancel(String id) {
            Request request = running;
            if (request != null && request.id.equals(id)) {
                request.leave();
                listener.message(new ServerMessage.Finished(id, FinishReason.CANCELLED, new Usage(0, 0), new Timing(0, 0, 0, 0)),
                        nanoTime.getAsLong());
            }
        }

        @Override
        public void watch() {
            throw new IllegalStateException("nothing to watch over HTTP");
        }

        @Override
        public void pauseReading(boolean pause) {
            if (running != null && running.channel != null) {
                running.channel.config().setAutoRead(!pause);
            }
        }

        @Override
        public void vanish() {
            if (running != null && running.channel != null) {
                running.channel.config().setOption(ChannelOption.SO_LINGER, 0); // a reset, as when a device dies
            }
            close();
            listener.closed("vanished", nanoTime.getAsLong());
        }

        @Override
        public void close() {
            if (running != null) {
                running.leave();
            }
        }
    }

    /** A request and its answer. */
    private final class Request {
        private final String id;
        private final byte[] body;
        private final Link.Listener listener;
        private final AnswerReader reader;
        private final SseParser parser;
        private @Nullable Channel channel;
        private @Nullable Disposable exchange;
        private long nowNs;

        Request(StreamRequest request, Link.Listener listener) {
            this.id = request.id();
            this.listener = listener;
            this.body = RequestBody.of(endpoint.api(), model, request, own).toString().getBytes(StandardCharsets.UTF_8);
            int maxTokens = request.prompt().maxTokens();
            this.reader = endpoint.api() == Api.RESPONSES ? new ResponseReader(true, id, maxTokens, listener, () -> own = true)
                    : new ChoiceReader(endpoint.api() == Api.CHAT, id, maxTokens, listener, () -> own = true);
            this.parser = new SseParser(SseParser.MAX_EVENT_BYTES, (name, data) -> reader.event(name, data, nowNs));
        }

        void send() {
            exchange = http.doOnConnected(connection -> channel = connection.channel())
                    .post()
                    .uri(endpoint.url())
                    .send(Mono.fromSupplier(() -> Unpooled.wrappedBuffer(body)))
                    .response(this::answer)
                    .subscribe(_ -> { }, this::broke);
        }

        private Publisher<Void> answer(HttpClientResponse response, ByteBufFlux content) {
            int status = response.status().code();
            String type = response.responseHeaders().get("Content-Type", "");
            if (status == HTTP_OK && type.startsWith("text/event-stream")) {
                return content.doOnNext(this::bytes).then().doOnSuccess(_ -> bodyEnded());
            }
            return head(content).doOnNext(text -> {
                if (status == HTTP_OK) {
                    reader.garbage("no stream of events: Content-Type=%s: %s".formatted(type, Told.head(text)),
                            nanoTime.getAsLong());
                } else {
                    Told told = Told.ofBody(status, text);
                    reader.fail(told.code(), "HTTP status " + status + ": " + told.message(), nanoTime.getAsLong());
                }
            }).then();
        }

        /** The beginning of a body that is no stream. */
        private static Mono<String> head(ByteBufFlux content) {
            return Flux.from(content.asByteArray()).scan(new byte[0], Request::joined).takeUntil(all ->
                    all.length >= MAX_ERROR_BYTES)
                    .last(new byte[0]).map(all -> new String(all, StandardCharsets.UTF_8));
        }

        private static byte[] joined(byte[] a, byte[] b) {
            byte[] both = java.util.Arrays.copyOf(a, a.length + b.length);
            System.arraycopy(b, 0, both, a.length, b.length);
            return both;
        }

        private void bytes(ByteBuf bytes) {
            nowNs = nanoTime.getAsLong();
            if (reader.ended()) {
                return;
            }
            try {
                parser.accept(bytes);
            } catch (SseParser.BadStreamException e) {
                reader.garbage(Reasons.message(e), nowNs);
            }
            if (reader.ended() && exchange != null) { // by an error: what else may come is of no use
                exchange.dispose();
            }
        }

        private void bodyEnded() {
            long endNs = nanoTime.getAsLong();
            try {
                parser.end();
                reader.bodyEnded(endNs);
            } catch (SseParser.BadStreamException e) {
                reader.garbage(Reasons.message(e), endNs);
            }
        }

        private void broke(Throwable error) {
            if (reader.ended()) {
                return;
            }
            boolean refused = channel == null || error instanceof ConnectException;
            if (!refused) {
                listener.checked(id, Promise.CONNECTION, false, () -> "not finished after " + reader.tokens() + " tokens: "
                        + Reasons.of(error));
            }
            reader.fail(refused ? "connection_refused" : "connection_lost", Reasons.of(error), nanoTime.getAsLong());
        }

        /** The client goes. */
        void leave() {
            reader.left();
            if (exchange != null) {
                exchange.dispose();
            }
        }
    }
}

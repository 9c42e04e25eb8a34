package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;

import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerResponse;

/** A server that says over HTTP what a test has it say, and notes what it was asked. */
final class SsePeer implements AutoCloseable {
    /** What a request is answered with. */
    interface Script {
        Publisher<Void> answer(HttpServerResponse response, String body);
    }

    private final List<String> bodies = new CopyOnWriteArrayList<>();
    private final List<String> keys = new CopyOnWriteArrayList<>();
    private final Semaphore left = new Semaphore(0);
    private final DisposableServer server;

    /** @param owner of the model, as {@code GET /v1/models} tells it */
    SsePeer(String owner, Script script) {
        server = HttpServer.create().host("127.0.0.1").port(0).route(routes -> {
            routes.get("/v1/models", (request, response) -> {
                keys.add(String.valueOf(request.requestHeaders().get("Authorization")));
                return response.sendString(Mono.just("{\"data\":[{\"id\":\"peer\",\"owned_by\":\"%s\"}]}".formatted(owner)));
            });
            for (String path : List.of("/v1/chat/completions", "/v1/completions", "/v1/responses")) {
                routes.post(path, (request, response) -> {
                    keys.add(String.valueOf(request.requestHeaders().get("Authorization")));
                    return request.receive().aggregate().asString().flatMapMany(body -> {
                        bodies.add(body);
                        return script.answer(response, body);
                    });
                });
            }
        }).bindNow();
    }

    /** One that says these events to each request, 2 ms apart. */
    static SsePeer saying(String... events) {
        return new SsePeer("somebody", (response, _) -> sent(response, List.of(events)));
    }

    static Publisher<Void> sent(HttpServerResponse response, List<String> events) {
        return response.sse().sendString(Flux.fromIterable(events).concatMap(event ->
                Mono.just(event).delayElement(Duration.ofMillis(2))));
    }

    /** One that begins to answer each request, and goes on until its client has gone; then {@link #left} has a permit. */
    static SsePeer endless(String event) {
        Semaphore[] gone = new Semaphore[1];
        SsePeer peer = new SsePeer("somebody", (response, _) -> response.sse().sendString(
                Flux.interval(Duration.ofMillis(2)).map(_ -> event).doOnCancel(() -> gone[0].release())));
        gone[0] = peer.left;
        return peer;
    }

    String url() {
        return "http://127.0.0.1:" + server.port();
    }

    /** Bodies of the requests, in order. */
    List<String> bodies() {
        return bodies;
    }

    /** Values of the header {@code Authorization}, "null" where there was none. */
    List<String> keys() {
        return keys;
    }

    /** Clients that have gone before their answer was over. */
    Semaphore left() {
        return left;
    }

    /**
     * Runs the tool against it.
     *
     * @param said gets what it says
     * @return its exit code
     */
    int run(StringWriter said, String... args) {
        List<String> all = new ArrayList<>(List.of("--target", "openai", "--url", url(), "--warmup", "0s"));
        all.addAll(List.of(args));
        PrintWriter out = new PrintWriter(said);
        return Main.run(out, out, all.toArray(String[]::new));
    }

    @Override
    public void close() {
        server.disposeNow();
    }

    /** Chunks of a chat completion with these pieces of text, without the end. */
    static List<String> chat(String... pieces) {
        List<String> events = new ArrayList<>();
        events.add(chatChunk("{\"role\":\"assistant\",\"content\":\"\"}", "null"));
        for (String piece : pieces) {
            events.add(chatChunk("{\"content\":\"%s\"}".formatted(piece), "null"));
        }
        return events;
    }

    static String chatChunk(String delta, String finish) {
        return data("{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"peer\","
                + "\"choices\":[{\"index\":0,\"delta\":%s,"
                + "\"finish_reason\":%s}]}", delta, finish);
    }

    /** The last chunk, the usage, {@code [DONE]}. */
    static List<String> chatEnd(int tokens) {
        return List.of(chatChunk("{}", "\"length\""), chatUsage(tokens), "data: [DONE]\n\n");
    }

    static String chatUsage(int tokens) {
        return data("{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"peer\",\"choices\":[],\"usage\":"
                + "{\"prompt_tokens\":5,\"completion_tokens\":%d,\"total_tokens\":%d}}", tokens, tokens + 5);
    }

    /** Events of a response of two tokens. */
    static List<String> response() {
        return List.of(event(0, "response.created", "\"response\":{\"id\":\"r1\",\"status\":\"in_progress\"}"),
                event(1, "response.in_progress", "\"response\":{\"id\":\"r1\"}"),
                event(2, "response.output_text.delta", "\"item_id\":\"m\",\"delta\":\"Hi\""),
                event(3, "response.output_text.delta", "\"item_id\":\"m\",\"delta\":\" you\""),
                event(4, "response.output_text.done", "\"item_id\":\"m\",\"text\":\"Hi you\""),
                event(5, "response.completed", "\"response\":{\"id\":\"r1\",\"status\":\"completed\",\"usage\":"
                        + "{\"input_tokens\":5,\"output_tokens\":2,\"total_tokens\":7}}"));
    }

    static String event(int number, String type, String fields) {
        return "event: %s\n".formatted(type) + data("{\"type\":\"%s\",\"sequence_number\":%d,%s}", type, number, fields);
    }

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a library of its own
    private static String data(String json, Object... values) {
        return "data: " + json.formatted(values) + "\n\n";
    }

    static List<String> joined(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}

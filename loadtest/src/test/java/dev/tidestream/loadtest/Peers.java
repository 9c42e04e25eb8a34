package dev.tidestream.loadtest;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

/**
 * Servers in processes of their own, for what starts servers: {@code serve … FILE} as our launcher does it, which notes its
 * arguments in the file, and {@code sse PORT}.
 */
final class Peers {
    /** What every event says of its stream. */
    private static final String HEAD = "\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"peer\"";

    private Peers() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args[0].equals("sse")) {
            sse(Integer.parseInt(args[1]), List.of("a", "b", "c"), 5);
        } else if (List.of(args).contains("--broken")) {
            System.out.println("no such model: " + String.join(" ", args));
            System.exit(3);
        } else {
            ScriptedServer server = new ScriptedServer((request, _) ->
                    ScriptedServer.stream(request.id(), request.maxTokens(), 5_000_000, 2_000_000));
            Files.writeString(Path.of(args[args.length - 1]), String.join(" ", args));
            // All that a model's name can do to a server of ours, and to what it logs.
            System.out.println("tidestream: warming up: x ready on ws://127.0.0.1:9/v1/stream (model x)");
            System.err.println("tidestream: ready on ws://127.0.0.1:9/v1/stream (a line of the log)");
            System.out.println("tidestream: ready on " + server.url() + " (threads=1, ready on ws://127.0.0.1:9/v1/stream)");
        }
        new CountDownLatch(1).await(); // until it is ended
    }

    /** The command that runs this class, separated by spaces. */
    static String command() {
        return Path.of(System.getProperty("java.home"), "bin", "java") + " -cp " + System.getProperty("java.class.path")
                + " " + Peers.class.getName();
    }

    /** OpenAI's completions, in words: each event 5 ms after the one before. */
    static DisposableServer sse(int port, List<String> words, int gapMs) {
        List<String> events = words.stream()
                .map(word -> "data: {%s,\"choices\":[{\"text\":\"%s\",\"finish_reason\":null}]}\n\n".formatted(HEAD, word)).toList();
        String end = "data: {" + HEAD + ",\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
        return HttpServer.create().host("127.0.0.1").port(port).route(routes -> routes
                .get("/v1/models", (_, response) -> response.sendString(
                        Mono.just("{\"data\":[{\"id\":\"peer\",\"meta\":{\"n_vocab\":2000}}]}")))
                .post("/v1/completions", (request, response) -> request.receive().aggregate().asString().flatMapMany(_ ->
                        response.sse().sendString(Flux.fromIterable(events).concatWithValues(end)
                                .delayElements(Duration.ofMillis(gapMs))))))
                .bindNow();
    }

    static URI completions(int port) {
        return URI.create("http://127.0.0.1:" + port + "/v1/completions");
    }
}

package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The baseline: a scripted server that speaks OpenAI's completions as SSE. */
class OpenAiTargetTest {
    private final List<String> bodies = new CopyOnWriteArrayList<>();

    private DisposableServer server(List<String> events) {
        return HttpServer.create().host("127.0.0.1").port(0).route(routes -> routes
                .get("/v1/models", (_, response) -> response.sendString(
                        Mono.just("{\"data\":[{\"id\":\"gguf\",\"meta\":{\"n_vocab\":2000}}]}")))
                .post("/v1/completions", (request, response) -> request.receive().aggregate().asString().flatMapMany(body -> {
                    bodies.add(body);
                    return response.sse()
                            .sendString(Flux.fromIterable(events).delayElements(Duration.ofMillis(30)));
                }))).bindNow();
    }

    private static String text(String text, String finish) {
        return "data: {\"choices\":[{\"text\":\"%s\",\"finish_reason\":%s}]}\n\n".formatted(text, finish);
    }

    @Test
    void shouldMeasureEventsAsTokens() {
        DisposableServer server = server(List.of(text("a", "null"), text("b", "null").substring(0, 9), text("b", "null")
                .substring(9),
                text("c", "null"), text("", "\"length\""), "data: {\"choices\":[],\"usage\":{\"completion_tokens\":3}}\n\n",
                "data: [DONE]\n\n"));
        StringWriter out = new StringWriter();
        int exitCode = Main.run(new PrintWriter(out), new PrintWriter(out), "--target", "openai", "--url",
                "http://127.0.0.1:" + server.port() + "/v1/completions", "--requests", "4", "--concurrency", "2", "--warmup",
                        "0s",
                "--prompt-tokens", "5", "--output-tokens", "3");
        server.disposeNow();
        assertEquals(0, exitCode, out.toString());
        assertTrue(out.toString().contains("requests    4: finished 4, failed 0"), out.toString());
        assertTrue(out.toString().contains("tokens      12;"), out.toString());
        assertEquals(4, bodies.size());
        assertTrue(bodies.getFirst()
                .matches(".*\"model\":\"gguf\",\"prompt\":\\[\\d+(,\\d+){4}].*\"max_tokens\":3.*\"stream\":true.*"),
                bodies.getFirst());
    }

    @Test
    void shouldCountErrorsOfTheServer() {
        DisposableServer server = server(List.of("data: {\"error\":{\"message\":\"no\"}}\n\n"));
        StringWriter out = new StringWriter();
        int exitCode = Main.run(new PrintWriter(out), new PrintWriter(out), "--target", "openai", "--url",
                "http://127.0.0.1:" + server.port() + "/v1/completions", "--requests", "1", "--warmup", "0s", "--words");
        server.disposeNow();
        assertEquals(1, exitCode, out.toString());
        assertTrue(out.toString().contains("{internal=1}"), out.toString());
    }
}

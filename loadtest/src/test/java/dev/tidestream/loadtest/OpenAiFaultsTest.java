package dev.tidestream.loadtest;

import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Servers that do not keep what OpenAI's wires promise, or that refuse. */
class OpenAiFaultsTest {
    private final StringWriter said = new StringWriter();

    private void fails(SsePeer server, String api, String evidence) {
        said.getBuffer().setLength(0);
        try (SsePeer peer = server) {
            assertEquals(1, peer.run(said, "--api", api, "--requests", "1", "--output-tokens", "2", "--fail-on-errors"),
                    said.toString());
        }
        assertTrue(said.toString().contains(evidence), () -> "no \"" + evidence + "\": " + said);
    }

    private void chatFails(UnaryOperator<String> change, String evidence) {
        String all = String.join("", SsePeer.joined(SsePeer.chat("a", "b"), SsePeer.chatEnd(2)));
        String changed = change.apply(all);
        assertTrue(!changed.equals(all), "nothing was changed for: " + evidence);
        fails(SsePeer.saying(changed), "chat", evidence);
    }

    private void responseFails(UnaryOperator<String> change, String evidence) {
        String all = String.join("", SsePeer.response());
        String changed = change.apply(all);
        assertTrue(!changed.equals(all), "nothing was changed for: " + evidence);
        fails(SsePeer.saying(changed), "responses", evidence);
    }

    @Test
    void shouldCatchChatsThatBreakTheWire() {
        chatFails(all -> all.replace("data: [DONE]\n\n", ""), "no [DONE] after 2 tokens: finish_reason=length");
        chatFails(all -> all + SsePeer.chatUsage(2), "events after [DONE]");
        chatFails(all -> all.replace("\"length\"", "null"), "no finish_reason after 2 tokens");
        chatFails(all -> all.replace("\"length\"", "null"), "{no_end=1}");
        chatFails(all -> all.replace(SsePeer.chatUsage(2), SsePeer.chatChunk("{}", "\"stop\"")), "a second finish_reason: stop");
        chatFails(all -> all.replaceFirst("\"role\":\"assistant\",", ""), "a first chunk without a role");
        chatFails(all -> all.replace("\"completion_tokens\":2", "\"completion_tokens\":3"),
                "usage is not what came: tokens seen=2 or more");
        chatFails(all -> all.replace(SsePeer.chatUsage(2), SsePeer.chatUsage(3)), "more tokens than asked for: usage=3, limit=2");
        chatFails(all -> all.substring(0, all.indexOf("\"b\"")) + all.substring(all.indexOf("\"b\"")).replaceFirst("c1", "c2"),
                "a chunk unlike the first");
        chatFails(all -> all.replace("{\"content\":\"b\"}", "{\"content\":\"b"), "an event that is not JSON: {\"id\":\"c1\"");
        chatFails(all -> all.substring(0, all.length() - 1), "the stream ends within an event: bytes=12");
    }

    @Test
    void shouldCatchResponsesThatBreakTheWire() {
        responseFails(all -> all.replace("\"sequence_number\":3", "\"sequence_number\":4"), "sequence_number is not 3");
        responseFails(all -> all.replace("\"text\":\"Hi you\"", "\"text\":\"Hi\""),
                "the text is not that of the deltas: characters=2, deltas=6");
        responseFails(all -> all.replace("event: response.in_progress", "event: response.progress"), "an event out of place");
        responseFails(all -> all.replace("\"response\":{\"id\":\"r1\",\"status\":\"completed\"", "\"response\":{\"id\":\"r2\""),
                "id of the response=r1");
        responseFails(all -> all.substring(0, all.indexOf("event: response.completed")), "no end after 2 tokens");
        responseFails(all -> all + SsePeer.event(6, "response.completed", "\"response\":{\"id\":\"r1\"}"),
                "events after response.completed");
        responseFails(all -> all.replace("\"total_tokens\":7", "\"total_tokens\":8"), "usage is not what came");
        responseFails(all -> all.replace("response.completed", "response.failed").replace("\"status\":\"completed\"",
                "\"error\":{\"code\":\"server_error\",\"message\":\"out of luck\"}"), "server_error: out of luck");
        responseFails(all -> SsePeer.event(0, "error", "\"code\":\"busy\",\"message\":\"too many\""), "busy: too many");
    }

    @Test
    void shouldCountErrorsByTheServersCode() {
        fails(new SsePeer("somebody", (response, _) -> response.status(429).sendString(Mono.just(
                "{\"error\":{\"message\":\"slow down\",\"type\":\"requests\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}"))),
                "chat", "rate_limit_exceeded: HTTP status 429: slow down");
        fails(new SsePeer("somebody", (response, _) -> response.status(400).sendString(Mono.just(
                "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"code\":400}}"))), "chat",
                        "{http_400 invalid_request_error=1}");
        fails(new SsePeer("somebody", (response, _) -> response.status(502).sendString(Mono.just("<html>\u001b[31mgone</html>"))),
                "completions", "http_502: HTTP status 502: <html>\\u001b[31mgone</html>");
        fails(new SsePeer("somebody", (response, _) -> response.status(503).sendString(Flux.range(0, 10_000).map(_ ->
                "x".repeat(100)))),
                "responses", "http_503: HTTP status 503: xxx");
        fails(new SsePeer("somebody", (response, _) -> response.header("Content-Type", "application/json")
                .sendString(Mono.just("{\"id\":1}"))),
                "chat", "no stream of events: Content-Type=application/json: {\"id\":1}");
        for (String api : List.of("chat", "completions", "responses")) {
            fails(SsePeer.saying("data: {\"error\":{\"message\":\"lost it\",\"type\":\"server_error\",\"param\":null,"
                    + "\"code\":\"internal\"}}\n\n"), api,
                    "internal: lost it");
        }
    }

    @Test
    void shouldCatchAConnectionThatBreaks() {
        fails(new SsePeer("somebody", (response, _) -> response.sse().sendString(Flux.fromIterable(SsePeer.chat("a", "b")))
                .then(Mono.error(new IllegalStateException("broken off")))), "chat", "not finished after 2 tokens");
    }

    @Test
    void shouldBoundCodes() {
        AtomicInteger number = new AtomicInteger(); // of both threads of the peer
        try (SsePeer peer = new SsePeer("somebody", (response, _) -> response.status(500).sendString(Mono.just(
                "{\"error\":{\"message\":\"x\",\"code\":\"code-%d-%s\"}}".formatted(number.getAndIncrement(), "y".repeat(1000)))))) {
            assertEquals(1, peer.run(said, "--api", "chat", "--requests", "120", "-c", "60", "--drain", "5s"), said.toString());
        }
        assertTrue(said.toString().contains("others=20"), said.toString());
        assertTrue(said.toString().lines().allMatch(line -> line.length() < 12_000), said.toString());
    }
}

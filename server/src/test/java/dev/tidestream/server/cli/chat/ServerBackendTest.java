package dev.tidestream.server.cli.chat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.cli.chat.ChatMessage.Role;
import dev.tidestream.server.cli.terminal.CliException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The client of chat completions, against a server that says what a test wants. */
class ServerBackendTest {
    private static final List<ChatMessage> HELLO = List.of(new ChatMessage(Role.SYSTEM, "s"), new ChatMessage(Role.USER, "hello"));

    private final BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final ChatSettings settings = new ChatSettings(List.of("END"));
    private HttpServer server;
    private URI base;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/models", exchange -> answer(exchange, 200, "{\"data\":[{\"id\":\"tiny\"}]}"));
        server.start();
        base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange, int status, String body) throws IOException {
        try (exchange) {
            requests.add(exchange.getRequestHeaders().getFirst("Authorization") + " "
                    + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private void completions(int status, String body) {
        server.createContext("/v1/chat/completions", exchange -> answer(exchange, status, body));
    }

    private Answer ask() {
        try (ServerBackend backend = new ServerBackend(base, Optional.of("secret"), Optional.empty())) {
            return backend.answer(HELLO, settings, text::append, new StopSwitch());
        }
    }

    @Test
    void shouldPutAnAnswerTogether() throws Exception {
        completions(200, """
                : comment

                data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"tidestream":{"weights_version":3,"seed":"9007199254740993"}}

                data: {"choices":[{"delta":{"content":"Hé"}}]}\r
                \r
                data: {"choices":[{"delta":{"content":"llo"},"finish_reason":"length"}],"usage":null,"tidestream":{"weights_version":4}}

                data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}

                data: [DONE]

                """);
        settings.set(Setting.TEMPERATURE, 0.5);
        settings.set(Setting.MAX_TOKENS, 2);
        settings.seed(OptionalLong.of(11));
        settings.weights(WeightsPolicy.FOLLOW);
        assertEquals(new Answer("Héllo", Answer.End.LENGTH, OptionalLong.of(9007199254740993L), OptionalLong.of(4), OptionalInt.of(7),
                OptionalInt.of(2)), ask());
        assertEquals("Héllo", text.toString());
        assertEquals("Bearer secret ", requests.take());
        String request = requests.take();
        assertTrue(request.startsWith("Bearer secret {"), request);
        JsonNode expected = new ObjectMapper().readTree("""
                {"model":"tiny","messages":[{"role":"system","content":"s"},{"role":"user","content":"hello"}],"stream":true,
                 "stream_options":{"include_usage":true},"temperature":0.5,"max_completion_tokens":2,"seed":11,"stop":["END"],
                 "tidestream":{"weights":"follow"}}
                """);
        assertEquals(expected, new ObjectMapper().readTree(request.substring("Bearer secret ".length())));
    }

    @Test
    void shouldSayWhatTheServerRefused() {
        completions(400, "{\"error\":{\"message\":\"too\\u001b long\",\"code\":\"context_length_exceeded\"}}");
        ChatFailedException failure = assertThrows(ChatFailedException.class, this::ask);
        assertEquals("the server refused: status=400, too\\u001b long", failure.getMessage());
        assertTrue(failure.tooLong());
    }

    @Test
    void shouldSayThatAnAnswerBrokeOff() {
        completions(200, "data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n");
        assertTrue(String.valueOf(assertThrows(ChatFailedException.class, this::ask).getMessage()).endsWith("the answer broke off"));
        assertEquals("Hal", text.toString());
    }

    @Test
    void shouldSayThatTheServerFailedInMidAnswer() {
        completions(200, "data: {\"error\":{\"message\":\"out of memory\"}}\n\n");
        ChatFailedException failure = assertThrows(ChatFailedException.class, this::ask);
        assertEquals("the server failed: out of memory", failure.getMessage());
        assertFalse(failure.tooLong());
    }

    @Test
    void shouldEndAnAnswerEarly() {
        CountDownLatch over = new CountDownLatch(1);
        server.createContext("/v1/chat/completions", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            OutputStream out = exchange.getResponseBody();
            out.write("data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n".getBytes(StandardCharsets.UTF_8));
            out.flush();
            awaitQuietly(over);
        });
        StopSwitch stop = new StopSwitch();
        try (ServerBackend backend = new ServerBackend(base, Optional.empty(), Optional.of("tiny"))) {
            Answer answer = backend.answer(HELLO, settings, part -> stop.request(), stop);
            assertEquals("Hal", answer.text());
            assertEquals(Answer.End.CANCELLED, answer.end());
            assertFalse(Thread.currentThread().isInterrupted());
        } finally {
            over.countDown();
        }
    }

    @Test
    void shouldStopBeforeTheAnswerBegins() throws InterruptedException {
        CountDownLatch over = new CountDownLatch(1);
        StopSwitch stop = new StopSwitch();
        server.createContext("/v1/chat/completions", exchange -> {
            stop.request();
            awaitQuietly(over);
        });
        try (ServerBackend backend = new ServerBackend(base, Optional.empty(), Optional.of("tiny"))) {
            Answer answer = backend.answer(HELLO, settings, text::append, stop);
            assertEquals("", answer.text());
            assertEquals(Answer.End.CANCELLED, answer.end());
            assertFalse(Thread.currentThread().isInterrupted());
        } finally {
            over.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void shouldNameAServerThatIsNotThere() {
        server.removeContext("/v1/models");
        CliException missing = assertThrows(CliException.class, () -> new ServerBackend(base, Optional.empty(), Optional.empty()));
        assertTrue(String.valueOf(missing.getMessage()).startsWith(base + "/models: the server refused: status=404"), missing::getMessage);
        server.stop(0);
        CliException gone = assertThrows(CliException.class, () -> new ServerBackend(base, Optional.empty(), Optional.empty()));
        assertEquals(base + "/models: connection refused", gone.getMessage());
    }

    @Test
    void shouldUnderstandUrls() {
        assertEquals(URI.create("http://h:1/v1"), ChatOptions.base("http://h:1/"));
        assertEquals(URI.create("https://h/api/v1"), ChatOptions.base("https://h/api/v1/"));
        for (String wrong : new String[] {"h:1", "ftp://h", "http://u:p@h", "http://h?x", "http://"}) {
            assertThrows(IllegalArgumentException.class, () -> ChatOptions.base(wrong), wrong);
        }
    }
}

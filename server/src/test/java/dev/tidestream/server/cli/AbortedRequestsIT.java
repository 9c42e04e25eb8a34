package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.engine.EngineStats;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** A client that closes its connection frees its sequences, wherever they are: with the engine that computes. */
class AbortedRequestsIT {
    private static final int SLOTS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static TidestreamServer server;
    private static String neverEnd;
    private static int context;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(folder.resolve("chat.jinja"), "{% for m in messages %}{{ m.content }}{% endfor %}");
        ServerConfig config = ServerConfig.DEFAULT.withPort(0).withChats(ServerConfig.Chats.DEFAULT.withTemplate(template));
        server = TidestreamServer.start(config.withEngine(config.engine().withMaxSequences(SLOTS)));
        context = server.running().blueprint().contextLength();
        neverEnd = "\"logit_bias\":{" + IntStream.range(0, server.running().engine().vocabularySize())
                .filter(server.running().tokenizer()::isEndOfGeneration).mapToObj(id -> "\"" + id + "\":-100")
                .collect(Collectors.joining(",")) + "}";
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static EngineStats stats() {
        return server.running().stats();
    }

    private static void await(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadlineNs, () -> "it did not come to that: " + stats());
            Thread.onSpinWait();
        }
    }

    private static void awaitIdle() {
        await(() -> stats().running() == 0 && stats().queued() == 0 && stats().promptsInIntake() == 0 && stats().kvUsedBytes() == 0);
    }

    private static Socket send(String path, String body) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.getOutputStream().write("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(path, body.length(), body).getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static Socket post(int promptTokens, int n, boolean stream) throws IOException {
        String prompt = IntStream.range(0, promptTokens).mapToObj(i -> "5").collect(Collectors.joining(","));
        return send("/v1/completions", "{\"prompt\":[%s],\"n\":%d,\"max_tokens\":%d,\"stream\":%b,%s}".formatted(
                prompt, n, context - promptTokens - 1, stream, neverEnd));
    }

    /** Of any kind: completions with several choices, or a response; its prompt is short or nearly as long as the context. */
    private static Socket request(Kind kind, boolean longPrompt) throws IOException {
        if (kind.responses) {
            String input = longPrompt ? "a b ".repeat(context / 8) : "a";
            return send("/v1/responses", "{\"input\":\"%s\",\"max_output_tokens\":%d,\"stream\":%b,%s}".formatted(
                    input, context / 4, kind.stream, neverEnd));
        }
        return post(longPrompt ? context - 64 : 2, kind.n, kind.stream);
    }

    enum Kind {
        STREAMED(1, true, false),
        STREAMED_FOUR(SLOTS, true, false),
        WHOLE(1, false, false),
        WHOLE_FOUR(SLOTS, false, false),
        RESPONSE_STREAMED(1, true, true),
        RESPONSE_WHOLE(1, false, true);

        private final int n;
        private final boolean stream;
        private final boolean responses;

        Kind(int n, boolean stream, boolean responses) {
            this.n = n;
            this.stream = stream;
            this.responses = responses;
        }
    }

    private static void readTokens(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        assertTrue(in.readNBytes(1000).length == 1000);
    }

    /** Its client has gone, so the server knows it, and so does the engine: one step may have been on its way. */
    private static void assertNoStepMore() {
        await(() -> server.transportStats().streamConnections() == 0);
        long steps = stats().steps();
        awaitIdle();
        long more = stats().steps() - steps;
        assertTrue(more <= 1, "steps after the client was gone: " + more);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFreeSequencesThatDecodeBeforeTheNextStep(Kind kind) throws Exception {
        long before = stats().tokensGenerated();
        try (Socket socket = request(kind, false)) {
            await(() -> stats().tokensGenerated() >= before + 2L * kind.n);
            assertTrue(socket.isConnected());
        }
        assertNoStepMore();
    }

    @ParameterizedTest
    @EnumSource
    void shouldFreeSequencesInPrefillBeforeTheNextStep(Kind kind) throws Exception {
        long before = stats().rows();
        try (Socket socket = request(kind, true)) {
            await(() -> stats().rows() > before);
            assertTrue(socket.isConnected());
        }
        assertNoStepMore();
    }

    /** Others have all slots, and keep them. */
    @ParameterizedTest
    @EnumSource
    void shouldFreeSequencesInTheQueueBeforeTheyHaveASlot(Kind kind) throws Exception {
        try (Socket decoding = post(2, SLOTS, true)) {
            readTokens(decoding);
            try (Socket queued = request(kind, false)) {
                await(() -> (server.transportStats().streamConnections() == 2 && stats().queued() > 0) || stats().running() == 0);
                assertTrue(queued.isConnected());
            }
            await(() -> server.transportStats().streamConnections() <= 1);
            await(() -> stats().queued() == 0 || stats().running() == 0);
        }
        assertNoStepMore();
    }

    /** What the sockets and a window take is computed, no more; another client is served meanwhile. */
    @Test
    void shouldComputeNoMoreThanAClientReads() throws Exception {
        int choices = 16;
        long start = stats().tokensGenerated();
        String one = "{\"prompt\":[5],\"max_tokens\":8,%s}".formatted(neverEnd);
        try (Socket idle = send("/v1/completions", "{\"prompt\":[5],\"n\":%d,\"max_tokens\":%d,\"stream\":true,\"logprobs\":20,%s}"
                .formatted(choices, context - 2, neverEnd))) {
            await(() -> stats().running() > 0);
            long made;
            do { // until the only tokens are those of the other client
                long before = stats().tokensGenerated();
                try (Socket other = send("/v1/completions", one)) {
                    other.getInputStream().readNBytes(300);
                }
                made = stats().tokensGenerated() - before;
            } while (made > 8);
            assertTrue(idle.isConnected());
            assertTrue(stats().tokensGenerated() - start < (long) choices * (context - 8), () -> stats().toString());
        }
        assertNoStepMore();
    }
}

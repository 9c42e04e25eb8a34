package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
    static void start() {
        ServerConfig config = ServerConfig.DEFAULT.withPort(0);
        server = TidestreamServer.start(config.withEngine(config.engine().withMaxSequences(SLOTS)));
        context = server.running().blueprint().contextLength();
        neverEnd = "\"logit_bias\":{" + IntStream.range(0, server.running().engine().vocabularySize())
                .filter(server.running().tokenizer()::isEndOfGeneration).mapToObj(id -> "\"" + id + "\":-100").collect(Collectors.joining(",")) + "}";
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

    private static Socket post(int promptTokens, int n, boolean stream) throws IOException {
        String prompt = IntStream.range(0, promptTokens).mapToObj(i -> "5").collect(Collectors.joining(","));
        String body = "{\"prompt\":[%s],\"n\":%d,\"max_tokens\":%d,\"stream\":%b,%s}".formatted(
                prompt, n, context - promptTokens - 1, stream, neverEnd);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.getOutputStream().write("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(body.length(), body).getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static void readTokens(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        assertTrue(in.readNBytes(1000).length == 1000);
    }

    /** Far fewer than were asked for have been made. */
    private static void assertEarly(long tokensBefore, int streams) {
        long made = stats().tokensGenerated() - tokensBefore;
        assertTrue(made < (long) streams * (context - 8), "tokens made: " + made);
    }

    @Test
    void shouldFreeSequencesThatDecode() throws Exception {
        long before = stats().tokensGenerated();
        try (Socket socket = post(2, SLOTS, true)) {
            readTokens(socket);
        }
        awaitIdle();
        assertEarly(before, SLOTS);
    }

    @Test
    void shouldFreeSequencesOfAWholeAnswer() throws Exception {
        long before = stats().tokensGenerated();
        try (Socket socket = post(2, SLOTS, false)) {
            await(() -> stats().running() == SLOTS && stats().tokensGenerated() > before);
            assertTrue(socket.isConnected());
        }
        awaitIdle();
        assertEarly(before, SLOTS);
    }

    @Test
    void shouldFreeSequencesInPrefillAndInTheQueue() throws Exception {
        try (Socket decoding = post(2, SLOTS, true)) {
            readTokens(decoding);
            try (Socket queued = post(context / 2, SLOTS, true)) {
                await(() -> stats().queued() > 0);
                assertTrue(queued.isConnected());
            }
            await(() -> stats().queued() == 0);
        }
        awaitIdle();
        long before = stats().tokensGenerated();
        try (Socket prefill = post(context - 64, SLOTS, true)) {
            await(() -> stats().running() > 0);
            assertTrue(prefill.isConnected());
        }
        awaitIdle();
        assertTrue(stats().tokensGenerated() - before < 63L * SLOTS, () -> stats().toString());
    }
}

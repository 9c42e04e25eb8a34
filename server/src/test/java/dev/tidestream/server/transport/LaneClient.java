package dev.tidestream.server.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import static org.junit.jupiter.api.Assertions.assertNotNull;

/** The JDK's own WebSocket at {@code /v1/responses}, with what it received in a queue. */
final class LaneClient implements AutoCloseable {
    private static final int PATIENCE_S = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final LinkedBlockingQueue<JsonNode> received = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closeCode = new CompletableFuture<>();
    private final WebSocket socket;

    LaneClient(int port) {
        this(port, true);
    }

    /** @param reading false: reads nothing until {@link #read} is called */
    LaneClient(int port, boolean reading) {
        this(port, reading, http -> http);
    }

    /** Shows a key. */
    LaneClient(int port, String key) {
        this(port, true, http -> http.header("Authorization", "Bearer " + key));
    }

    /** @param more what else the handshake has */
    LaneClient(int port, boolean reading, UnaryOperator<WebSocket.Builder> more) {
        socket = more.apply(http.newWebSocketBuilder())
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/v1/responses"), new Listener(reading)).join();
    }

    String subprotocol() {
        return socket.getSubprotocol();
    }

    LaneClient send(String frame) {
        socket.sendText(frame, true).join();
        return this;
    }

    LaneClient sendBinary(byte[] data) {
        socket.sendBinary(ByteBuffer.wrap(data), true).join();
        return this;
    }

    /**
     * Asks for a response, which is not stored unless a field says so.
     *
     * @param lane null for none
     * @param more fields, each with a comma in front
     */
    LaneClient create(@Nullable String lane, String input, int maxTokens, String more) {
        String store = more.contains("\"store\"") ? "" : ",\"store\":false";
        return send("{\"type\":\"response.create\"%s,\"model\":\"m/1\",\"input\":\"%s\",\"max_output_tokens\":%d%s%s}"
                .formatted(lane == null ? "" : ",\"stream_id\":\"" + lane + "\"", input, maxTokens, store, more));
    }

    void read() {
        socket.request(Long.MAX_VALUE);
    }

    /** The next message. */
    JsonNode next() throws InterruptedException {
        JsonNode message = received.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertNotNull(message, "nothing came");
        return message;
    }

    /** All messages up to the first that matches, which is the last of the list. */
    List<JsonNode> until(Predicate<JsonNode> last) throws InterruptedException {
        List<JsonNode> messages = new ArrayList<>();
        do {
            messages.add(next());
        } while (!last.test(messages.getLast()));
        return messages;
    }

    /** All messages, of all lanes, up to the last event of a response on this one. */
    List<JsonNode> untilEnd(@Nullable String lane) throws InterruptedException {
        return until(message -> isEnd(message) && lane(message).equals(String.valueOf(lane)));
    }

    static String type(JsonNode message) {
        return message.path("type").asText();
    }

    /** {@code null} as text if it has none. */
    static String lane(JsonNode message) {
        return message.path("stream_id").asText("null");
    }

    static boolean isEnd(JsonNode message) {
        return List.of("response.completed", "response.incomplete", "response.failed", "error").contains(type(message));
    }

    /** Of an event that has a response in it. */
    static String id(JsonNode message) {
        return message.path("response").path("id").asText();
    }

    int closeCode() throws Exception {
        return closeCode.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    void abort() {
        socket.abort();
    }

    @Override
    public void close() {
        if (!socket.isOutputClosed()) {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "")
                    .exceptionally(answered -> socket) // the JDK has just answered the server's close frame by itself
                    .join();
            closeCode.exceptionally(e -> -1).orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
        }
        http.shutdownNow();
    }

    private final class Listener implements WebSocket.Listener {
        private final boolean reading;
        private final StringBuilder text = new StringBuilder();

        Listener(boolean reading) {
            this.reading = reading;
        }

        @Override
        public void onOpen(WebSocket webSocket) {
            if (reading) {
                webSocket.request(Long.MAX_VALUE);
            }
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                try {
                    received.add(JSON.readTree(text.toString()));
                } catch (IOException e) {
                    throw new UncheckedIOException("not JSON: " + text, e);
                }
                text.setLength(0);
            }
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
            closeCode.complete(statusCode);
            return null;
        }

        @Override
        public void onError(WebSocket webSocket, Throwable error) {
            closeCode.completeExceptionally(error);
        }
    }
}

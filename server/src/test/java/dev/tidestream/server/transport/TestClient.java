package dev.tidestream.server.transport;

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

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertNotNull;

/** The JDK's own WebSocket, with what it received in a queue. */
public final class TestClient implements AutoCloseable {
    private static final int PATIENCE_S = 60;
    private static final Codec CODEC = new Codec(Limits.DEFAULT);

    private final HttpClient http = HttpClient.newHttpClient();
    private final LinkedBlockingQueue<ServerMessage> received = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closeCode = new CompletableFuture<>();
    private final WebSocket socket;

    /** @param reading false: reads nothing until {@link #read} is called */
    public TestClient(int port, boolean reading) {
        this(port, reading, http -> http);
    }

    /** Shows a key. */
    public TestClient(int port, String key) {
        this(port, true, http -> http.header("Authorization", "Bearer " + key));
    }

    /** @param more what else the handshake has */
    TestClient(int port, boolean reading, UnaryOperator<WebSocket.Builder> more) {
        socket = more.apply(http.newWebSocketBuilder())
                .subprotocols(Protocol.SUBPROTOCOL)
                .buildAsync(URI.create("ws://127.0.0.1:" + port + Protocol.PATH), new Listener(reading))
                .join();
    }

    public TestClient(int port) {
        this(port, true);
    }

    String subprotocol() {
        return socket.getSubprotocol();
    }

    public TestClient send(String frame) {
        socket.sendText(frame, true).join();
        return this;
    }

    TestClient sendPart(String part, boolean last) {
        socket.sendText(part, last).join();
        return this;
    }

    TestClient sendBinary(byte[] data) {
        socket.sendBinary(ByteBuffer.wrap(data), true).join();
        return this;
    }

    public TestClient generate(String id, String prompt, int maxTokens, String more) {
        return send("{\"type\":\"generate\",\"id\":\"" + id + "\",\"prompt\":\"" + prompt + "\",\"max_tokens\":" + maxTokens + more
                + "}");
    }

    public TestClient credit(String id, int n) {
        return send("{\"type\":\"credit\",\"id\":\"" + id + "\",\"n\":" + n + "}");
    }

    public TestClient cancel(String id) {
        return send("{\"type\":\"cancel\",\"id\":\"" + id + "\"}");
    }

    public void read() {
        read(Long.MAX_VALUE);
    }

    /** Reads so many messages more, pings included. */
    public void read(long messages) {
        socket.request(messages);
    }

    /** The next frame. */
    public ServerMessage next() throws InterruptedException {
        ServerMessage message = received.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertNotNull(message, "nothing came");
        return message;
    }

    <M extends ServerMessage> M next(Class<M> type) throws InterruptedException {
        ServerMessage message = next();
        if (!type.isInstance(message)) {
            throw new AssertionError("expected " + type.getSimpleName() + ": " + message);
        }
        return type.cast(message);
    }

    /** All frames up to the first that matches, which is the last of the list. */
    public List<ServerMessage> until(Predicate<ServerMessage> last) throws InterruptedException {
        List<ServerMessage> messages = new ArrayList<>();
        do {
            messages.add(next());
        } while (!last.test(messages.getLast()));
        return messages;
    }

    public List<ServerMessage> untilFinished(String id) throws InterruptedException {
        return until(m -> m instanceof ServerMessage.Finished f && f.id().equals(id));
    }

    /** A stream with an answer of its own: when it is through, the server has dealt with all that was sent before it. */
    List<ServerMessage> barrier(String id) throws InterruptedException {
        generate(id, "x", 1, ",\"credit\":1");
        return untilFinished(id);
    }

    int closeCode() throws Exception {
        return closeCode.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    public void abort() {
        socket.abort();
    }

    @Override
    public void close() {
        if (!socket.isOutputClosed()) {
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "")
                    .exceptionally(answered -> socket) // the JDK has just answered the server's close frame by itself
                    .join();
            closeCode.exceptionally(e -> -1) // a pong that came too late for it, say
                    .orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
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
                    received.add(CODEC.decodeServer(text.toString()));
                } catch (ProtocolException e) {
                    throw new AssertionError("not a server message: " + text, e);
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

package dev.tidestream.server.transport;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** An administrator: the JDK's own WebSocket, with what it received in a queue. */
public final class AdminClient implements AutoCloseable {
    static final AdminCodec CODEC = new AdminCodec(1 << 20);
    private static final int PATIENCE_S = 60;
    private static final HttpClient HTTP = HttpClient.newHttpClient(); // costly to make

    private final LinkedBlockingQueue<AdminReply> received = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closeCode = new CompletableFuture<>();
    private final WebSocket socket;

    /** Shows the token in the header. */
    public AdminClient(int port, String token) {
        socket = HTTP.newWebSocketBuilder()
                .header("Authorization", "Bearer " + token)
                .subprotocols(AdminProtocol.SUBPROTOCOL)
                .buildAsync(URI.create("ws://127.0.0.1:" + port + AdminProtocol.PATH), new Listener())
                .join();
    }

    /** Offers these subprotocols. */
    AdminClient(int port, String first, String second) {
        socket = HTTP.newWebSocketBuilder()
                .subprotocols(first, second)
                .buildAsync(URI.create("ws://127.0.0.1:" + port + AdminProtocol.PATH), new Listener())
                .join();
    }

    /** The announcement of this payload, as f32 with a dimension. */
    public static AdminRequest.WeightsUpdate update(String ref, String updateId, byte[] payload) {
        return update(ref, updateId, payload.length, sha256(payload));
    }

    static AdminRequest.WeightsUpdate update(String ref, String updateId, long byteLength, String sha256) {
        return new AdminRequest.WeightsUpdate(ref, updateId, 1, "token_embd.weight", UpdateKind.REPLACE,
                List.of(byteLength / 4), PayloadType.F32, sha256, byteLength, OptionalInt.empty(), null);
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    String subprotocol() {
        return socket.getSubprotocol();
    }

    AdminClient send(String frame) {
        socket.sendText(frame, true).join();
        return this;
    }

    /** Sends a request. */
    public AdminClient send(AdminRequest request) {
        return send(CODEC.encode(request));
    }

    AdminClient sendBinary(byte[] data) {
        return sendBinary(data, 0, data.length, true);
    }

    /** Sends some of these bytes as a frame. */
    public AdminClient sendBinary(byte[] data, int from, int to, boolean last) {
        socket.sendBinary(ByteBuffer.wrap(data, from, to - from), last).join();
        return this;
    }

    /** The next frame. */
    public AdminReply next() throws InterruptedException {
        AdminReply reply = received.poll(PATIENCE_S, TimeUnit.SECONDS);
        assertNotNull(reply, "nothing came");
        return reply;
    }

    /** The next frame, which is an ack. */
    public AdminReply.Ack ack(String ref) throws InterruptedException {
        AdminReply reply = next();
        assertTrue(reply instanceof AdminReply.Ack, reply.toString());
        assertEquals(ref, reply.ref());
        return (AdminReply.Ack) reply;
    }

    AdminReply.Progress progress(String ref, String stage, long done, long of) throws InterruptedException {
        AdminReply.Progress expected = new AdminReply.Progress(ref, stage, done, of);
        assertEquals(expected, next());
        return expected;
    }

    /** The next frame, which is a refusal. */
    public AdminReply.Failed failed(@Nullable String ref, AdminErrorCode code, String message) throws InterruptedException {
        AdminReply reply = next();
        assertTrue(reply instanceof AdminReply.Failed, reply.toString());
        AdminReply.Failed failed = (AdminReply.Failed) reply;
        assertEquals(ref, failed.ref(), failed.toString());
        assertEquals(code, failed.code(), failed.toString());
        assertTrue(failed.message().contains(message), failed.toString());
        return failed;
    }

    /** Asks and is answered: what was sent before has been read, and nothing else came. */
    void barrier(String ref) throws InterruptedException {
        send(new AdminRequest.Stats(ref)).ack(ref);
    }

    /** All frames up to the answer of this request. */
    public List<AdminReply> untilAnswer(String ref) throws InterruptedException {
        List<AdminReply> replies = new ArrayList<>();
        do {
            replies.add(next());
        } while (replies.getLast() instanceof AdminReply.Progress || !ref.equals(replies.getLast().ref()));
        return replies;
    }

    int closeCode() throws Exception {
        return closeCode.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    boolean nothingReceived() {
        return received.isEmpty();
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
            closeCode.exceptionally(e -> -1) // a pong that came too late for it, say
                    .orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
        }
    }

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public void onOpen(WebSocket webSocket) {
            webSocket.request(Long.MAX_VALUE);
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                try {
                    received.add(CODEC.decodeReply(text.toString()));
                } catch (AdminProtocolException e) {
                    throw new AssertionError("not a reply: " + text, e);
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

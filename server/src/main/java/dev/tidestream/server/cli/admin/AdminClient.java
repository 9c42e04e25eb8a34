package dev.tidestream.server.cli.admin;

import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpTimeoutException;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

/**
 * A connection to the admin channel of a server, for one caller at a time: each call blocks until the server has answered, however
 * long that takes.
 *
 * <p>The payload of an update goes out in messages of {@value #FRAME_BYTES} bytes, each when the socket has taken the one before,
 * so a slow server slows the reading of the file. The answer may come while the payload is being sent; then nothing more is sent.
 * What was on its way by then, the server may answer with {@code unexpected_binary} without a {@code ref}: {@link AdminReplies}
 * passes over that.
 */
public final class AdminClient implements AutoCloseable {
    /** Within the limit of a WebSocket frame that servers have if nobody sets another. */
    static final int FRAME_BYTES = 64 << 10;
    /** Stage of the progress that {@link #update} itself reports, in bytes that the socket has taken. */
    static final String SENDING = "sending";

    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int TOO_MANY_REQUESTS = 429;

    private final HttpClient http;
    private final AdminReplies replies;
    private final WebSocket socket;
    private CompletableFuture<?> lastMessage = CompletableFuture.completedFuture(null);

    private AdminClient(HttpClient http, AdminReplies replies, WebSocket socket) {
        this.http = http;
        this.replies = replies;
        this.socket = socket;
    }

    /**
     * Opens a connection.
     *
     * @param url with the scheme {@code ws} or {@code wss}
     * @param token visible ASCII characters
     * @param timeout for connection and handshake together
     * @throws IOException if there is no connection; the message names the URL, never the token
     */
    public static AdminClient connect(URI url, String token, Duration timeout) throws IOException, InterruptedException {
        HttpClient http = HttpClient.newHttpClient();
        AdminReplies replies = new AdminReplies();
        boolean connected = false;
        try {
            WebSocket socket = http.newWebSocketBuilder()
                    .connectTimeout(timeout)
                    .subprotocols(AdminProtocol.SUBPROTOCOL)
                    .header("Authorization", "Bearer " + token)
                    .buildAsync(url, replies)
                    .get();
            connected = socket.getSubprotocol().equals(AdminProtocol.SUBPROTOCOL);
            if (!connected) {
                socket.abort();
                throw new IOException("%s does not speak %s".formatted(url, AdminProtocol.SUBPROTOCOL));
            }
            return new AdminClient(http, replies, socket);
        } catch (ExecutionException e) {
            throw noConnection(url, timeout, e.getCause() == null ? e : e.getCause());
        } finally {
            if (!connected) {
                http.shutdownNow();
            }
        }
    }

    private static IOException noConnection(URI url, Duration timeout, Throwable cause) {
        return new IOException(switch (cause) {
            case WebSocketHandshakeException refused when refused.getResponse().statusCode() == UNAUTHORIZED ->
                "unauthorized: %s does not accept this token".formatted(url);
            case WebSocketHandshakeException refused when refused.getResponse().statusCode() == FORBIDDEN ->
                "permission_error: %s does not let this in as an administrator; an API key is no admin token".formatted(url);
            case WebSocketHandshakeException refused when refused.getResponse().statusCode() == TOO_MANY_REQUESTS ->
                "too_many_attempts: %s has seen too many wrong tokens from here; try again in %s s"
                        .formatted(url, refused.getResponse().headers().firstValue("Retry-After").orElse("some"));
            case WebSocketHandshakeException refused ->
                "%s answered with HTTP status %d instead of a WebSocket".formatted(url, refused.getResponse().statusCode());
            case HttpTimeoutException _ -> "cannot connect to %s: no answer within %d s".formatted(url, timeout.toSeconds());
            default -> "cannot connect to %s: %s".formatted(url, Reasons.of(cause));
        }, cause);
    }

    /**
     * Sends a request without payload and waits for its end.
     *
     * @param progress is told of every progress frame, on a thread of the HTTP client; must not throw
     * @throws AdminFailedException if the server refused it
     * @throws IOException if the connection broke or was closed, or the server sent what is no reply; whether the request was
     *     carried out is unknown then
     */
    public AdminReply.Ack call(AdminRequest request, Consumer<AdminReply.Progress> progress)
            throws IOException, AdminFailedException, InterruptedException {
        return ack(begin(request, progress));
    }

    /**
     * Sends an update, or a part of one, and the file with its payload, and waits for its end.
     *
     * @param update whose frames follow; length and checksum are those of the file, and a part may begin in the middle of it
     * @param progress is told of every progress frame, as with {@link #call}, and by the caller's thread of stage {@value #SENDING}
     * @throws AdminFailedException if the server refused it
     * @throws IOException as {@link #call}, and if the file cannot be read or is shorter than the update says; the connection is
     *     of no more use then
     */
    public AdminReply.Ack update(AdminRequest.WithFrames update, Path payload, Consumer<AdminReply.Progress> progress)
            throws IOException, AdminFailedException, InterruptedException {
        if (!update.framesFollow()) {
            throw new IllegalArgumentException("an update with a path has no payload to send: " + update);
        }
        CompletableFuture<AdminReply> outcome;
        try (FileChannel file = FileChannel.open(payload)) {
            file.position(update instanceof AdminRequest.UpdatePart part ? part.offset() : 0);
            outcome = begin(update, progress);
            boolean unbroken = false;
            try {
                sendPayload(file, update, outcome, progress);
                unbroken = true;
            } finally {
                if (!unbroken) {
                    socket.abort(); // the server would take the next request for the rest of the payload
                }
            }
        }
        return ack(outcome);
    }

    private void sendPayload(
            FileChannel file,
            AdminRequest.WithFrames update,
            CompletableFuture<AdminReply> outcome,
            Consumer<AdminReply.Progress> progress)
            throws IOException, InterruptedException {
        ByteBuffer frame = ByteBuffer.allocate(FRAME_BYTES);
        long bytes = update.frameBytes();
        for (long sent = 0; sent < bytes && !outcome.isDone(); sent += frame.limit()) {
            frame.clear().limit((int) Math.min(FRAME_BYTES, bytes - sent));
            while (frame.hasRemaining()) {
                if (file.read(frame) < 0) {
                    throw new EOFException("the payload has become shorter while it was sent: bytes=%d, announced=%d"
                            .formatted(file.position(), bytes));
                }
            }
            send(socket.sendBinary(frame.flip(), true), outcome);
            progress.accept(new AdminReply.Progress(update.ref(), SENDING, sent + frame.limit(), bytes));
        }
    }

    private CompletableFuture<AdminReply> begin(AdminRequest request, Consumer<AdminReply.Progress> progress)
            throws IOException, InterruptedException {
        CompletableFuture<AdminReply> outcome = replies.expect(request.ref(), progress);
        try {
            lastMessage.get(); // of a payload that was answered early
        } catch (ExecutionException e) {
            throw new IOException("the connection broke: " + Reasons.of(e), e);
        }
        send(socket.sendText(replies.encode(request), true), outcome);
        return outcome;
    }

    /** Waits until the socket has taken a message, or the request has ended. */
    private void send(CompletableFuture<WebSocket> message, CompletableFuture<AdminReply> outcome)
            throws IOException, InterruptedException {
        lastMessage = message;
        try {
            CompletableFuture.anyOf(message, outcome).get();
        } catch (ExecutionException e) {
            // A server that refuses and closes: its last words may arrive just after we failed to send.
            boolean ended = outcome.handle((_, _) -> true)
                    .completeOnTimeout(false, PATIENCE.toMillis(), TimeUnit.MILLISECONDS).join();
            if (!ended) {
                throw new IOException("the connection broke: " + Reasons.of(e), e);
            }
        }
    }

    private static AdminReply.Ack ack(CompletableFuture<AdminReply> outcome)
            throws IOException, AdminFailedException, InterruptedException {
        AdminReply reply;
        try {
            reply = outcome.get();
        } catch (ExecutionException e) {
            throw new IOException(Reasons.of(e.getCause() == null ? e : e.getCause()), e);
        }
        return switch (reply) {
            case AdminReply.Ack ack -> ack;
            case AdminReply.Failed failed -> throw new AdminFailedException(failed);
            case AdminReply.Progress p -> throw new AssertionError("progress ends nothing: " + p);
        };
    }

    /** Says goodbye, briefly, and lets go of the connection. */
    @Override
    public void close() {
        if (!socket.isOutputClosed()) {
            CompletableFuture<?> heard = replies.ended();
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "")
                    .thenCompose(_ -> heard)
                    .handle((_, _) -> true) // whether they heard it is of no interest any more
                    .completeOnTimeout(false, PATIENCE.toMillis(), TimeUnit.MILLISECONDS).join();
        }
        socket.abort();
        http.shutdownNow();
    }
}

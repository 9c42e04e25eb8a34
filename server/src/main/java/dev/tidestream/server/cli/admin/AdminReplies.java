package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;

/**
 * What a server says on an {@link AdminClient}'s connection, led to the one request that waits. Events come one at a time, on
 * threads of the HTTP client; the next is asked for when the last has been dealt with.
 */
final class AdminReplies implements WebSocket.Listener {
    private static final int MAX_REPLY_CHARS = 16 << 20; // a long history

    private record Exchange(String ref, Consumer<AdminReply.Progress> progress, CompletableFuture<AdminReply> outcome) {}

    private final AdminCodec codec = new AdminCodec(MAX_REPLY_CHARS);
    private final StringBuilder text = new StringBuilder();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private @Nullable Exchange exchange; // guarded by this
    private @Nullable IOException end; // guarded by this

    String encode(AdminRequest request) {
        return codec.encode(request);
    }

    /** Completes when the connection has ended, whatever the reason. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /**
     * From now on, replies belong to this request. The future completes with an ack or failed, or exceptionally with the
     * {@link IOException} that ended the connection.
     */
    synchronized CompletableFuture<AdminReply> expect(String ref, Consumer<AdminReply.Progress> progress) {
        if (end != null) {
            return CompletableFuture.failedFuture(end);
        }
        Exchange next = new Exchange(ref, progress, new CompletableFuture<>());
        exchange = next;
        return next.outcome;
    }

    @Override
    public @Nullable CompletableFuture<?> onText(WebSocket socket, CharSequence data, boolean last) {
        if (text.length() + data.length() > MAX_REPLY_CHARS) {
            giveUp(socket, "the server sent a reply that is too large: limit=%d characters".formatted(MAX_REPLY_CHARS));
            return null;
        }
        text.append(data);
        if (last) {
            String frame = text.toString();
            text.setLength(0);
            try {
                take(codec.decodeReply(frame));
            } catch (AdminProtocolException e) {
                giveUp(socket, "the server sent what is no reply: " + e.getMessage());
                return null;
            }
        }
        socket.request(1);
        return null;
    }

    private synchronized @Nullable Exchange exchange() {
        return exchange;
    }

    private void take(AdminReply reply) throws AdminProtocolException {
        if (reply.ref() == null && reply instanceof AdminReply.Failed(_, AdminErrorCode code, _)
                && code == AdminErrorCode.UNEXPECTED_BINARY) {
            return; // what was still on its way when an update had been answered
        }
        Exchange now = exchange();
        if (now == null || now.outcome.isDone() || (reply.ref() != null && !reply.ref().equals(now.ref))) {
            throw new AdminProtocolException(
                    AdminErrorCode.INVALID_VALUE, "ref", "nothing of this ref was asked: ref=" + reply.ref(), reply.ref());
        }
        switch (reply) {
            case AdminReply.Progress progress -> now.progress.accept(progress);
            case AdminReply.Ack _, AdminReply.Failed _ -> now.outcome.complete(reply);
        }
    }

    @Override
    public @Nullable CompletableFuture<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
        giveUp(socket, "the server sent a binary frame");
        return null;
    }

    @Override
    public @Nullable CompletableFuture<?> onClose(WebSocket socket, int status, String reason) {
        end("the server closed the connection: status=%d%s".formatted(status, reason.isEmpty() ? "" : ", " + reason), null);
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        end("the connection broke: " + Reasons.of(error), error);
    }

    private void giveUp(WebSocket socket, String message) {
        end(message, null);
        socket.abort();
    }

    private void end(String message, @Nullable Throwable cause) {
        IOException why = new IOException(message, cause);
        Exchange waiting;
        synchronized (this) {
            if (end != null) {
                return;
            }
            end = why;
            waiting = exchange;
        }
        if (waiting != null) {
            waiting.outcome.completeExceptionally(why);
        }
        ended.complete(null);
    }
}

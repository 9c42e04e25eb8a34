package dev.tidestream.server.transport;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import io.vertx.core.internal.http.WebSocketInternal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A WebSocket with what every protocol on it needs: signs of life, close codes, and bounds on both sides. Event loop.
 *
 * <p>Answers to what the client sends (refusals, acknowledgements, pongs) are limited by nothing but what it sends, so once
 * {@value #MAX_UNREAD_REPLIES} of them were queued while the socket was full, nothing more is read from the client until it has
 * read; TCP then slows it down.
 */
final class Connection {
    static final short GOING_AWAY = 1001;
    static final short NOT_UTF8 = 1007;
    static final short TOO_BIG = 1009;

    private static final Logger log = LoggerFactory.getLogger(Connection.class);
    private static final int MAX_UNREAD_REPLIES = 64;

    private final ServerWebSocket socket;
    private final TransportConfig config;
    private final LongSupplier nanoTime;
    private final Promise<Void> closed = Promise.promise();

    private int unreadReplies;
    private boolean held;
    private long lastSeenNs;

    Connection(ServerWebSocket socket, TransportConfig config, LongSupplier nanoTime) {
        this.socket = socket;
        this.config = config;
        this.nanoTime = nanoTime;
        this.lastSeenNs = nanoTime.getAsLong();
    }

    /**
     * Starts to listen.
     *
     * @param onMessage gets text, binary and continuation frames
     * @param onDrain the socket takes frames again
     * @param onClose called once, before {@link #closed} completes
     */
    void run(Consumer<WebSocketFrame> onMessage, Runnable onDrain, Runnable onClose) {
        socket.setWriteQueueMaxSize(config.writeQueueBytes());
        socket.frameHandler(frame -> onFrame(frame, onMessage));
        socket.drainHandler(v -> {
            onDrain();
            onDrain.run();
        });
        socket.pongHandler(v -> lastSeenNs = nanoTime.getAsLong());
        socket.exceptionHandler(this::onException);
        socket.closeHandler(v -> {
            onClose.run();
            closed.tryComplete();
            read(); // lets go of the buffers of frames that came while reading was paused
        });
    }

    Future<Void> closed() {
        return closed.future();
    }

    /** Address and port of the client, for the log. */
    String remote() {
        return String.valueOf(socket.remoteAddress());
    }

    boolean writable() {
        return !socket.isClosed() && !socket.writeQueueFull();
    }

    /** Sends a text message that something bounds already, e.g. demand. */
    void write(String text) {
        if (!socket.isClosed()) {
            socket.writeTextMessage(text);
        }
    }

    /** Sends a text message that answers what the client sent. */
    void writeReply(String text) {
        if (!socket.isClosed()) {
            socket.writeTextMessage(text);
            countReply();
        }
    }

    void keepAlive() {
        if (socket.isClosed()) {
            return;
        }
        if (held) {
            lastSeenNs = nanoTime.getAsLong(); // it is us who do not listen
        }
        long silentNs = nanoTime.getAsLong() - lastSeenNs;
        if (silentNs >= config.deadAfter().toNanos()) {
            close(GOING_AWAY, "no sign of life for " + TimeUnit.NANOSECONDS.toMillis(silentNs) + " ms");
        } else if (held || silentNs >= config.pingInterval().toNanos()) {
            socket.writePing(Buffer.buffer());
        }
    }

    /**
     * Reads nothing more from the client until {@link #release}. Vert.x alone would go on until it holds 64 frames, which may be
     * large ones, so the channel itself stops to read: what comes yet is one frame and one read of the socket at most.
     */
    void hold() {
        if (!held) {
            held = true;
            socket.pause();
            autoRead(false);
        }
    }

    void release() {
        if (held) {
            held = false;
            lastSeenNs = nanoTime.getAsLong();
            autoRead(true);
            if (unreadReplies < MAX_UNREAD_REPLIES) {
                socket.resume();
            }
        }
    }

    void close(short code, String reason) {
        if (!socket.isClosed()) {
            socket.close(code, reason);
        }
    }

    private void autoRead(boolean on) {
        ((WebSocketInternal) socket).channelHandlerContext().channel().config().setAutoRead(on);
    }

    private void read() {
        if (held) {
            release();
        }
        socket.resume();
    }

    private void onFrame(WebSocketFrame frame, Consumer<WebSocketFrame> onMessage) {
        if (closed.future().isComplete()) {
            return;
        }
        lastSeenNs = nanoTime.getAsLong();
        switch (frame.type()) {
            case TEXT, BINARY, CONTINUATION -> onMessage.accept(frame);
            case PING -> countReply(); // Vert.x has answered it
            case PONG, CLOSE -> {}
        }
    }

    private void countReply() {
        if (!writable() && ++unreadReplies == MAX_UNREAD_REPLIES) {
            socket.pause();
        }
    }

    private void onDrain() {
        lastSeenNs = nanoTime.getAsLong();
        if (unreadReplies >= MAX_UNREAD_REPLIES && !held) {
            socket.resume();
        }
        unreadReplies = 0;
    }

    private void onException(Throwable error) {
        if (error instanceof TooLongFrameException) {
            close(TOO_BIG, "frame too large: limit=" + config.hardFrameBytes());
        } else if (error instanceof CorruptedWebSocketFrameException corrupted) {
            close((short) corrupted.closeStatus().code(), String.valueOf(corrupted.getMessage()));
        } else {
            log.debug("connection failed: remote={}", socket.remoteAddress(), error);
        }
    }
}

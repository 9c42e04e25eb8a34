package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.GenerateRequest;

/**
 * One connection: frames in, streams, frames out. Lives on its event loop.
 *
 * <p>Memory is bounded from both sides. Towards the engine: see {@link ClientStream}. Towards the client: frames that answer
 * what the client sends (refusals, accepted and finished, pongs) are not covered by demand, so once
 * {@value #MAX_UNREAD_REPLIES} of them were queued while the socket was full, nothing more is read from the client until it
 * has read; TCP then slows it down. Credit and cancel of a client that merely reads slowly still come through.
 */
final class WebSocketSession implements ClientStream.Outlet {
    private static final Logger log = LoggerFactory.getLogger(WebSocketSession.class);
    private static final int MAX_UNREAD_REPLIES = 64;

    static final short GOING_AWAY = 1001;
    static final short NOT_UTF8 = 1007;
    static final short TOO_BIG = 1009;

    private final ServerWebSocket socket;
    private final TransportConfig config;
    private final Codec codec;
    private final Engine engine;
    private final LongSupplier nanoTime;
    private final Mailbox mailbox;
    private final FrameAssembler assembler;
    private final RecentIds recentIds;
    private final Map<String, ClientStream> streams = new HashMap<>();
    private final Promise<Void> closed = Promise.promise();

    private @Nullable VersionWatcher watcher;
    private boolean draining;
    private int unreadReplies;
    private long lastSeenNs;

    WebSocketSession(
            ServerWebSocket socket, Context context, TransportConfig config, Codec codec, Engine engine, LongSupplier nanoTime) {
        this.socket = socket;
        this.config = config;
        this.codec = codec;
        this.engine = engine;
        this.nanoTime = nanoTime;
        this.mailbox = new Mailbox(task -> context.runOnContext(v -> task.run()));
        this.assembler = new FrameAssembler(config.maxMessageBytes());
        this.recentIds = new RecentIds(config.recentIds());
        this.lastSeenNs = nanoTime.getAsLong();
    }

    /** Starts to listen. */
    void run() {
        socket.setWriteQueueMaxSize(config.writeQueueBytes());
        socket.frameHandler(this::onFrame);
        socket.drainHandler(v -> onDrain());
        socket.pongHandler(v -> lastSeenNs = nanoTime.getAsLong());
        socket.exceptionHandler(this::onException);
        socket.closeHandler(v -> onClose());
    }

    /** Completes when the connection has closed and every stream of it is cancelled. */
    Future<Void> closed() {
        return closed.future();
    }

    /** Pings a silent client, closes a dead one. A stream in a long prefill is silence of the server, not of the client. */
    void keepAlive() {
        long silentNs = nanoTime.getAsLong() - lastSeenNs;
        if (socket.isClosed()) {
            return;
        }
        if (silentNs >= config.deadAfter().toNanos()) {
            close(GOING_AWAY, "no sign of life for " + TimeUnit.NANOSECONDS.toMillis(silentNs) + " ms");
        } else if (silentNs >= config.pingInterval().toNanos()) {
            socket.writePing(Buffer.buffer());
        }
    }

    /** Takes no new streams and closes the connection when the running ones have ended. */
    void drain() {
        draining = true;
        closeIfDrained();
    }

    /** Breaks off what still runs and closes the connection. */
    void breakOff() {
        draining = true;
        for (ClientStream stream : new ArrayList<>(streams.values())) {
            stream.abandon();
            send(new ServerMessage.Failed(stream.id(), ErrorCode.SHUTTING_DOWN, "the server is shutting down"));
        }
        streams.clear();
        closeIfDrained();
    }

    @Override
    public void send(ServerMessage message) {
        if (socket.isClosed()) {
            return;
        }
        socket.writeTextMessage(codec.encode(message));
        if (!(message instanceof ServerMessage.Token)) {
            countReply();
        }
    }

    @Override
    public boolean writable() {
        return !socket.isClosed() && !socket.writeQueueFull();
    }

    @Override
    public void ended(ClientStream stream) {
        streams.remove(stream.id(), stream);
        recentIds.add(stream.id());
        if (draining) {
            mailbox.post(this::closeIfDrained);
        }
    }

    private void onFrame(WebSocketFrame frame) {
        if (closed.future().isComplete()) {
            return;
        }
        lastSeenNs = nanoTime.getAsLong();
        switch (frame.type()) {
            case TEXT, BINARY, CONTINUATION -> onMessage(assembler.accept(frame));
            case PING -> countReply(); // Vert.x has answered it
            case PONG, CLOSE -> {}
        }
    }

    private void onMessage(FrameAssembler.Outcome outcome) {
        switch (outcome) {
            case FrameAssembler.Outcome.Incomplete i -> {}
            case FrameAssembler.Outcome.Text t -> onText(t.text());
            case FrameAssembler.Outcome.TooLarge t -> send(new ServerMessage.Failed(
                    codec.peekId(t.head()),
                    ErrorCode.FRAME_TOO_LARGE,
                    "message too large: bytes>=" + t.bytes() + ", limit=" + config.maxMessageBytes()));
            case FrameAssembler.Outcome.Binary b -> send(new ServerMessage.Failed(
                    null, ErrorCode.BINARY_FRAME, "binary frame: this protocol has text frames only"));
            case FrameAssembler.Outcome.InvalidUtf8 u -> close(NOT_UTF8, "a text frame is not UTF-8");
        }
    }

    private void onText(String text) {
        try {
            switch (codec.decodeClient(text)) {
                case ClientMessage.Generate generate -> generate(generate);
                case ClientMessage.Credit credit -> {
                    ClientStream stream = runningOrRecent(credit.id(), "credit");
                    if (stream != null) {
                        stream.grant(credit.n());
                    }
                }
                case ClientMessage.Cancel cancel -> {
                    ClientStream stream = runningOrRecent(cancel.id(), "cancel");
                    if (stream != null) {
                        stream.stop();
                    }
                }
                case ClientMessage.Watch watch -> watch(watch.weights());
            }
        } catch (ProtocolException e) {
            send(e.toFailed());
        }
    }

    /** Null for a stream that ended a moment ago: the message crossed its end on the way. */
    private @Nullable ClientStream runningOrRecent(String id, String type) throws ProtocolException {
        ClientStream stream = streams.get(id);
        if (stream == null && !recentIds.contains(id)) {
            throw new ProtocolException(ErrorCode.UNKNOWN_ID, "id", type + ": no running stream has the id: " + id, id);
        }
        return stream;
    }

    private void generate(ClientMessage.Generate m) throws ProtocolException {
        if (streams.containsKey(m.id())) {
            throw new ProtocolException(ErrorCode.DUPLICATE_ID, "id", "a running stream has this id: " + m.id(), m.id());
        }
        if (draining) {
            throw refused(m.id(), ErrorCode.SHUTTING_DOWN, "the server is shutting down");
        }
        if (streams.size() >= config.maxStreams()) {
            throw refused(m.id(), ErrorCode.TOO_MANY_STREAMS,
                    "too many streams on this connection: running=" + streams.size() + ", limit=" + config.maxStreams());
        }
        ClientStream stream =
                new ClientStream(m.id(), m.credit(), engine, mailbox, this, config.windowTokens());
        streams.put(m.id(), stream);
        GenerateRequest request = new GenerateRequest(
                m.prompt(), m.tokens(), m.maxTokens(), m.sampling(), m.stop(), m.topLogprobs(), m.weights());
        try {
            engine.generate(request).subscribe(stream);
        } catch (RuntimeException e) {
            stream.onError(e);
        }
    }

    private void watch(boolean weights) {
        if (weights && watcher == null) {
            watcher = new VersionWatcher(mailbox, this);
            engine.weightsVersions().subscribe(watcher);
        } else if (!weights && watcher != null) {
            watcher.cancel();
            watcher = null;
        }
    }

    private ProtocolException refused(String id, ErrorCode code, String message) {
        recentIds.add(id);
        return new ProtocolException(code, null, message, id);
    }

    private void countReply() {
        if (!writable() && ++unreadReplies == MAX_UNREAD_REPLIES) {
            socket.pause();
        }
    }

    private void onDrain() {
        lastSeenNs = nanoTime.getAsLong();
        if (unreadReplies >= MAX_UNREAD_REPLIES) {
            socket.resume();
        }
        unreadReplies = 0;
        if (watcher != null) {
            watcher.ask();
        }
        for (ClientStream stream : new ArrayList<>(streams.values())) {
            stream.ask();
        }
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

    private void onClose() {
        streams.values().forEach(ClientStream::abandon);
        streams.clear();
        watch(false);
        closed.tryComplete();
        socket.resume(); // lets go of the buffers of frames that came while reading was paused
    }

    private void closeIfDrained() {
        if (draining && streams.isEmpty()) {
            close(GOING_AWAY, "the server is shutting down");
        }
    }

    private void close(short code, String reason) {
        if (!socket.isClosed()) {
            socket.close(code, reason);
        }
    }
}

package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.KeyRefusal;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.resume.ResumableStreams;
import dev.tidestream.server.transport.common.Mailbox;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.stream.ClientStream;
import dev.tidestream.server.transport.websocket.CloseCode;
import dev.tidestream.server.transport.websocket.Connection;
import dev.tidestream.server.transport.websocket.ConnectionListener;

/**
 * One connection: frames in, streams, frames out. Lives on its event loop.
 *
 * <p>Memory is bounded from both sides. Towards the engine: see {@link ClientStream}. Towards the client: frames that answer
 * what the client sends (refusals, accepted and finished, pongs) are not covered by demand; {@link Connection} bounds them by
 * reading no more. Credit and cancel of a client that merely reads slowly still come through.
 */
final class WebSocketSession implements Session, ConnectionListener, ClientStream.Outlet {
    private static final Logger log = LoggerFactory.getLogger(WebSocketSession.class);

    private static final int SMALL_CHARS = 16 << 10; // more is decoded on a worker

    private final Connection connection;
    private final Context context;
    private final TransportConfig config;
    private final Codec codec;
    private final Engine engine;
    private final @Nullable ResumableStreams resumable;
    private final RefusedRequests refused;
    private final KeyAccount account;
    private final Mailbox mailbox;
    private final RecentIds recentIds;
    private final Map<String, ClientStream> streams = new HashMap<>();

    private final Set<ClientStream> unanswered = new HashSet<>(); // after a violation: those that were not accepted before it
    private final Promise<Void> answered = Promise.promise();

    private @Nullable VersionWatcher watcher;
    private boolean draining;
    private boolean closed;

    /**
     * @param resumable the streams that outlive their connections; null if none does
     * @param refused where it is written down what was refused
     * @param account of whoever has opened it
     */
    WebSocketSession(
            Connection connection,
            Context context,
            TransportConfig config,
            Codec codec,
            Engine engine,
            @Nullable ResumableStreams resumable,
            RefusedRequests refused,
            KeyAccount account) {
        this.connection = connection;
        this.context = context;
        this.config = config;
        this.codec = codec;
        this.engine = engine;
        this.resumable = resumable;
        this.refused = refused;
        this.account = account;
        this.mailbox = new Mailbox(task -> context.runOnContext(v -> task.run()));
        this.recentIds = new RecentIds(config.recentIds());
    }

    @Override
    public void run() {
        connection.run(this);
    }

    @Override
    public Future<Void> closed() {
        return connection.closed();
    }

    @Override
    public int underWay() {
        return streams.size();
    }

    @Override
    public void abort() {
        connection.abort();
    }

    @Override
    public void drain() {
        draining = true;
        closeIfDrained();
    }

    @Override
    public void breakOff() {
        draining = true;
        for (ClientStream stream : new ArrayList<>(streams.values())) {
            stream.abandon();
            send(new ServerMessage.Failed(stream.id(), ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN));
        }
        streams.clear();
        closeIfDrained();
    }

    private void send(ServerMessage message) {
        if (message instanceof ServerMessage.Token) {
            connection.write(codec.encode(message));
        } else {
            if (message instanceof ServerMessage.Failed failed) {
                refused.message(failed.code().wireName(), failed.id(), failed.message());
            }
            connection.writeReply(codec.encode(message));
        }
    }

    @Override
    public boolean writable() {
        return connection.writable();
    }

    @Override
    public void ended(ClientStream stream) {
        streams.remove(stream.id(), stream);
        recentIds.add(stream.id());
        unanswered.remove(stream);
        mailbox.post(this::onStreamEnded); // its last word is sent before that
    }

    /** A large message is decoded on a worker thread: on the event loop it would hold back every stream. */
    @Override
    public void onText(String text) {
        if (text.length() <= SMALL_CHARS) {
            handle(text, () -> codec.decodeClient(text));
            return;
        }
        connection.hold(); // so that messages keep their order
        context.executeBlocking(() -> codec.decodeClient(text)).onComplete(decoded -> {
            if (!closed) {
                handle(text, () -> {
                    if (decoded.cause() instanceof ProtocolException e) {
                        throw e;
                    } else if (decoded.failed()) {
                        throw new IllegalStateException("cannot be decoded", decoded.cause());
                    }
                    return decoded.result();
                });
            }
            connection.release();
        });
    }

    /** How a message is had from its text. */
    private interface Decoding {
        ClientMessage decode() throws ProtocolException;
    }

    private void handle(String text, Decoding decoding) {
        try {
            onMessage(decoding.decode());
        } catch (ProtocolException e) {
            send(e.toFailed());
        } catch (RuntimeException e) {
            log.error("message failed", e);
            send(new ServerMessage.Failed(
                    codec.peekId(text), ErrorCode.INTERNAL, ServerTexts.FAULT));
        }
    }

    @Override
    public void onTooLarge(long bytes, String head) {
        send(new ServerMessage.Failed(
                codec.peekId(head),
                ErrorCode.FRAME_TOO_LARGE,
                "message too large: bytes>=" + bytes + ", limit=" + config.maxMessageBytes()));
    }

    @Override
    public void onNoRoom(long bytes, String head) {
        send(new ServerMessage.Failed(
                codec.peekId(head),
                ErrorCode.BUSY,
                "no room for this message among those that are being received, try again later: bytes>=" + bytes
                        + ", limit of all=" + config.sockets().maxAssemblyBytes()));
    }

    @Override
    public void onBinary(Buffer part, boolean first, long leftInFrame) {
        if (first) {
            send(new ServerMessage.Failed(null, ErrorCode.BINARY_FRAME, "binary frame: this protocol has text frames only"));
        }
    }

    /** Streams that were accepted are answered; one that was not has a right to be. */
    @Override
    public Future<Void> onViolation() {
        streams.values().stream().filter(stream -> !stream.accepted()).forEach(unanswered::add);
        completeIfAnswered();
        return answered.future();
    }

    private void onStreamEnded() {
        completeIfAnswered();
        closeIfDrained();
    }

    private void completeIfAnswered() {
        if (unanswered.isEmpty()) {
            answered.tryComplete();
        }
    }

    private void onMessage(ClientMessage message) throws ProtocolException {
        switch (message) {
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
            case ClientMessage.Resume resume -> resume(resume);
            case ClientMessage.Watch watch -> watch(watch.weights());
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

    private void requireRoom(String id) throws ProtocolException {
        if (streams.containsKey(id)) {
            throw new ProtocolException(ErrorCode.DUPLICATE_ID, "id", "a running stream has this id: " + id, id);
        }
        if (draining) {
            throw refused(id, ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
        }
        if (streams.size() >= config.maxStreams()) {
            throw refused(id, ErrorCode.TOO_MANY_STREAMS,
                    "too many streams on this connection: running=" + streams.size() + ", limit=" + config.maxStreams());
        }
    }

    private void resume(ClientMessage.Resume m) throws ProtocolException {
        requireRoom(m.id());
        try {
            account.requestResume();
            if (resumable == null) {
                throw new EngineException(ErrorCode.UNKNOWN_STREAM, "no stream outlives its connection on this server");
            }
            ResumableStreams.Opened opened = resumable.resume(m.stream(), account.owner().name(), m.afterSeq());
            begin(m.id(), m.credit(), opened.handle(), opened.generation(), account.resumed(opened.tab()));
        } catch (KeyLimitException e) {
            refuse(m.id(), e);
        } catch (EngineException e) {
            throw refused(m.id(), e.code(), String.valueOf(e.getMessage()));
        }
    }

    private void generate(ClientMessage.Generate m) throws ProtocolException {
        requireRoom(m.id());
        StreamLease lease;
        try {
            lease = account.requestStream();
        } catch (KeyLimitException e) {
            refuse(m.id(), e);
            return;
        }
        boolean begun = false;
        try {
            begin(m, lease);
            begun = true;
        } finally {
            if (!begun) {
                lease.close();
            }
        }
    }

    private void begin(ClientMessage.Generate m, StreamLease lease) throws ProtocolException {
        if (m.resumable()) {
            if (resumable == null) {
                throw refused(m.id(), ErrorCode.INVALID_VALUE, "resumable: no stream outlives its connection on this server");
            }
            try {
                ResumableStreams.Opened opened = resumable.open(m, account.owner().name(), this);
                begin(m.id(), m.credit(), opened.handle(), opened.generation(), opened.tab().begin(lease));
            } catch (EngineException e) {
                throw refused(m.id(), e.code(), String.valueOf(e.getMessage()));
            }
            return;
        }
        GenerateRequest request = new GenerateRequest(
                m.prompt(), m.messages(), m.parseSpecial(), m.tokens(), m.maxTokens(), m.sampling(), m.stop(), m.topLogprobs(), -1, m.weights(), this).with(m.adapter());
        begin(m.id(), m.credit(), null, engine.generate(request), lease);
    }

    private void begin(String id, OptionalInt credit, @Nullable String handle, Generation generation, StreamLease lease) {
        ClientStream stream = new ClientStream(
                id, credit, generation, mailbox, this, new TidestreamFrames(id, handle, this::send), config.windowTokens(), lease);
        streams.put(id, stream);
        try {
            stream.begin();
        } catch (RuntimeException e) {
            stream.onError(e);
        }
    }

    private void refuse(String id, KeyLimitException e) {
        ErrorCode code = e.refusal() == KeyRefusal.REVOKED ? ErrorCode.INVALID_API_KEY : ErrorCode.RATE_LIMIT_EXCEEDED;
        Long retryAfterMs = e.retryAfterMs().isPresent() ? e.retryAfterMs().getAsLong() : null;
        recentIds.add(id);
        send(new ServerMessage.Failed(id, code, String.valueOf(e.getMessage()), retryAfterMs));
    }

    private void watch(boolean weights) {
        if (weights && watcher == null) {
            watcher = new VersionWatcher(mailbox, this::writable, this::send);
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

    @Override
    public void onDrain() {
        if (watcher != null) {
            watcher.ask();
        }
        for (ClientStream stream : new ArrayList<>(streams.values())) {
            stream.ask();
        }
    }

    @Override
    public void onClose() {
        closed = true;
        streams.values().forEach(ClientStream::abandon);
        streams.clear();
        watch(false);
    }

    private void closeIfDrained() {
        if (draining && streams.isEmpty()) {
            connection.close(CloseCode.RESTART, ServerTexts.SHUTTING_DOWN);
        }
    }
}

package dev.tidestream.server.transport;

import java.util.HashSet;
import java.util.Set;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.http.WebSocketFrame;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.bus.AdminBus;
import dev.tidestream.server.admin.bus.ToDesk;
import dev.tidestream.server.admin.bus.ToSession;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;

/**
 * One administrator's connection: requests go to the desk over the event bus, its replies come back. Lives on its event loop.
 *
 * <p>Memory is bounded: requests under way are counted, progress is left out while the socket is full, and of a payload there is
 * one chunk on the bus and one gathered here ({@link PayloadFlow}); then the socket is not read.
 *
 * <p>Binary frames belong to the update that was announced last. A client need not wait for an answer before it sends them, so
 * after an update was refused, or a text that may have been one, they are thrown away until the next is announced.
 */
final class AdminSession implements Session {
    private final Connection connection;
    private final AdminCodec codec;
    private final AdminBus bus;
    private final int maxRequests;
    private final EventLog audit;
    private final Caller caller;
    private final String address = AdminBus.newSession();
    private final FrameAssembler texts = new FrameAssembler(AdminProtocol.MAX_REQUEST_CHARS);
    private final Set<String> underWay = new HashSet<>(); // refs
    private long requests;

    private @Nullable MessageConsumer<ToSession> fromDesk;
    private @Nullable PayloadFlow payload;
    private boolean discarding;
    private boolean binaryMessage;
    private boolean refusedBinaryMessage;
    private boolean draining;

    /** @param access who has come in, and how much of the channel is theirs */
    AdminSession(Connection connection, AdminCodec codec, AdminBus bus, AdminAccess access) {
        this.connection = connection;
        this.codec = codec;
        this.bus = bus;
        this.maxRequests = access.maxRequests();
        this.audit = access.audit();
        this.caller = new Caller("a" + AdminBus.number(address), connection.remote(), access.token().fingerprint());
    }

    @Override
    public void run() {
        audit.done(EventLine.of("connected").with(caller));
        fromDesk = bus.listenAsSession(address, this::onSignal);
        connection.run(this::onMessage, () -> {}, this::onClose);
    }

    @Override
    public Future<Void> closed() {
        return connection.closed();
    }

    @Override
    public void keepAlive() {
        connection.keepAlive();
    }

    @Override
    public void drain() {
        draining = true;
        closeIfDrained();
    }

    /** A change that is being made goes on without an audience: to say that it failed could be untrue. */
    @Override
    public void breakOff() {
        draining = true;
        PayloadFlow flow = payload;
        if (flow != null && !flow.complete()) {
            answer(flow.ref(), shuttingDown(flow.ref()));
        }
        underWay.clear();
        closeIfDrained();
    }

    private void onMessage(WebSocketFrame frame) {
        if (frame.isBinary() || (frame.isContinuation() && binaryMessage)) {
            refusedBinaryMessage &= frame.isContinuation();
            binaryMessage = !frame.isFinal();
            onBinary(frame.binaryData());
        } else {
            onText(texts.accept(frame));
        }
    }

    private void onText(FrameAssembler.Outcome outcome) {
        switch (outcome) {
            case FrameAssembler.Outcome.Incomplete i -> {}
            case FrameAssembler.Outcome.Text t -> {
                try {
                    onRequest(codec.decodeRequest(t.text()));
                } catch (AdminProtocolException e) {
                    unreadable(e.toFailed());
                }
            }
            case FrameAssembler.Outcome.TooLarge t -> unreadable(new AdminReply.Failed(
                    codec.peekRef(t.head()),
                    AdminErrorCode.FRAME_TOO_LARGE,
                    "message too large: bytes>=" + t.bytes() + ", limit=" + AdminProtocol.MAX_REQUEST_CHARS));
            case FrameAssembler.Outcome.Binary b -> throw new IllegalStateException("binary frames go another way");
            case FrameAssembler.Outcome.InvalidUtf8 u -> connection.close(Connection.NOT_UTF8, "a text frame is not UTF-8");
        }
    }

    private void unreadable(AdminReply.Failed failed) {
        discarding = true; // it may have been an update whose payload is on its way
        refuse("unreadable", failed);
    }

    private void onRequest(AdminRequest request) {
        requests++;
        PayloadFlow flow = null;
        if (request instanceof AdminRequest.WeightsUpdate update && update.path() == null) {
            flow = new PayloadFlow(update.ref(), update.byteLength());
        }
        AdminReply.Failed refusal = refusal(request, flow != null);
        if (refusal != null) {
            discarding |= flow != null;
            refuse("request", refusal);
            return;
        }
        underWay.add(request.ref());
        if (flow != null) {
            payload = flow;
            discarding = false;
        }
        toDesk(request.ref(), new ToDesk.Call(address, caller, request));
    }

    private AdminReply.@Nullable Failed refusal(AdminRequest request, boolean hasPayload) {
        String ref = request.ref();
        if (underWay.contains(ref)) {
            return new AdminReply.Failed(ref, AdminErrorCode.INVALID_VALUE, "ref: a request under way has it already: " + ref);
        }
        if (draining) {
            return shuttingDown(ref);
        }
        if (underWay.size() >= maxRequests) {
            return new AdminReply.Failed(
                    ref,
                    AdminErrorCode.BUSY,
                    "too many requests on this connection: under_way=" + underWay.size() + ", limit=" + maxRequests);
        }
        PayloadFlow flow = payload;
        if (hasPayload && flow != null) {
            return new AdminReply.Failed(
                    ref, AdminErrorCode.BUSY, "an update of this connection has no answer yet: ref=" + flow.ref());
        }
        return null;
    }

    private void onBinary(Buffer data) {
        PayloadFlow flow = payload;
        if (flow != null && !flow.complete()) {
            flow.add(data);
            advance(flow);
        } else if (!discarding && !refusedBinaryMessage && data.length() > 0) { // some senders end with an empty fragment
            refusedBinaryMessage = true; // once per message
            refuse("binary", new AdminReply.Failed(
                    null, AdminErrorCode.UNEXPECTED_BINARY, "no update waits for a binary frame: bytes=" + data.length()));
        }
    }

    private void advance(PayloadFlow flow) {
        Buffer chunk = flow.next();
        if (chunk != null) {
            toDesk(flow.ref(), new ToDesk.Chunk(address, flow.ref(), chunk));
        }
        if (flow.full()) {
            connection.hold();
        } else {
            connection.release();
        }
    }

    private void toDesk(String ref, ToDesk message) {
        bus.toDesk(message).onFailure(nobody -> {
            audit(message instanceof ToDesk.Call ? "request" : "payload", shuttingDown(ref));
            answer(ref, shuttingDown(ref));
        });
    }

    private void onSignal(ToSession signal) {
        switch (signal) {
            case ToSession.Reply r -> onReply(r.reply());
            case ToSession.Receiving r -> onDeskReady(r.ref());
            case ToSession.ChunkTaken t -> onDeskReady(t.ref());
            case ToSession.Goodbye g -> stopListening();
        }
    }

    private void onDeskReady(String ref) {
        PayloadFlow flow = payload;
        if (flow != null && flow.ref().equals(ref)) {
            flow.onDeskReady();
            advance(flow);
        }
    }

    private void onReply(AdminReply reply) {
        switch (reply) {
            case AdminReply.Progress p -> {
                if (underWay.contains(p.ref()) && connection.writable()) {
                    connection.write(codec.encode(p));
                }
            }
            case AdminReply.Ack a -> answer(a.ref(), a);
            case AdminReply.Failed f -> answer(String.valueOf(f.ref()), f);
        }
    }

    /** The last word about a request; a second one is not said. */
    private void answer(String ref, AdminReply reply) {
        if (!underWay.remove(ref)) {
            return;
        }
        PayloadFlow flow = payload;
        if (flow != null && flow.ref().equals(ref)) {
            payload = null;
            discarding |= !flow.exact() || reply instanceof AdminReply.Failed;
            connection.release();
        }
        send(reply);
        closeIfDrained();
    }

    /** Says no to what the desk never hears of; what it does hear of, it writes down itself. */
    private void refuse(String what, AdminReply.Failed failed) {
        audit(what, failed);
        send(failed);
    }

    private void audit(String what, AdminReply.Failed failed) {
        audit.refused(what + "_" + failed.code().wireName(), EventLine.of(what).with("outcome", "refused").with(caller)
                .withText("ref", failed.ref()).with("code", failed.code().wireName()).withText("message", failed.message()));
    }

    private void send(AdminReply reply) {
        connection.writeReply(codec.encode(reply));
    }

    private void closeIfDrained() {
        if (draining && underWay.isEmpty()) {
            connection.close(Connection.GOING_AWAY, "the server is shutting down");
        }
    }

    private void onClose() {
        audit.done(EventLine.of("disconnected").with(caller).with("requests", requests).with("unanswered", underWay.size()));
        underWay.clear();
        payload = null;
        bus.toDesk(new ToDesk.Closed(address)).onFailure(nobody -> stopListening());
    }

    private void stopListening() {
        MessageConsumer<ToSession> listening = fromDesk;
        if (listening != null) {
            listening.unregister();
        }
    }

    private static AdminReply.Failed shuttingDown(String ref) {
        return new AdminReply.Failed(ref, AdminErrorCode.SHUTTING_DOWN, "the server is shutting down");
    }
}

package dev.tidestream.server.transport;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.admin.channel.bus.ToDesk;
import dev.tidestream.server.admin.channel.bus.ToSession;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLine;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.websocket.CloseCode;
import dev.tidestream.server.transport.websocket.Connection;
import dev.tidestream.server.transport.websocket.ConnectionListener;

/**
 * One administrator's connection: requests go to the desk over the event bus, its replies come back. Lives on its event loop.
 *
 * <p>Memory is bounded: requests under way are counted, progress is left out while the socket is full, and of a payload there is
 * one chunk on the bus and one gathered here ({@link PayloadFlow}); then the socket is not read.
 *
 * <p>Binary frames belong to the update that was announced last. A client need not wait for an answer before it sends them, so
 * after an update was refused, or a text that may have been one, they are thrown away until the next is announced.
 */
final class AdminSession implements Session, ConnectionListener {
    private static final Logger log = LoggerFactory.getLogger(AdminSession.class);

    private final Connection connection;
    private final AdminCodec codec;
    private final AdminBus bus;
    private final int maxRequests;
    private final EventLog audit;
    private final Caller caller;
    private final String address = AdminBus.newSession();
    private final Set<String> underWay = new HashSet<>(); // refs
    private final Promise<Void> answered = Promise.promise();
    private long requests;

    private @Nullable MessageConsumer<ToSession> fromDesk;
    private BinaryInput binary = new BinaryInput.Unexpected();
    private BinaryInput.Message message = new BinaryInput.Message.Fresh();
    private boolean failing;
    private boolean draining;

    /**
     * One that has not begun.
     *
     * @param access who has come in, and how much of the channel is theirs
     * @param traceId of the trace that the handshake belongs to; null if it is of none
     */
    AdminSession(Connection connection, AdminCodec codec, AdminBus bus, AdminAccess access, @Nullable String traceId) {
        this.connection = connection;
        this.codec = codec;
        this.bus = bus;
        this.maxRequests = access.maxRequests();
        this.audit = access.audit();
        this.caller = new Caller("a" + AdminBus.number(address), connection.remote(), traceId, access.token().fingerprint());
    }

    @Override
    public void run() {
        audit.done(EventLine.of("connected").with(caller));
        fromDesk = bus.listenAsSession(address, this::onSignal);
        connection.run(this);
    }

    @Override
    public Future<Void> closed() {
        return connection.closed();
    }

    @Override
    public int underWay() {
        return underWay.size();
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

    /** A change that is being made goes on without an audience: to say that it failed could be untrue. */
    @Override
    public void breakOff() {
        draining = true;
        binary.wanting().ifPresent(flow -> answer(flow.ref(), shuttingDown(flow.ref())));
        underWay.clear();
        closeIfDrained();
    }

    @Override
    public void onText(String text) {
        try {
            onRequest(codec.decodeRequest(text));
        } catch (AdminProtocolException e) {
            unreadable(e.toFailed());
        } catch (RuntimeException e) {
            log.error("request failed", e);
            unreadable(new AdminReply.Failed(
                    codec.peekRef(text), AdminErrorCode.INTERNAL, ServerTexts.FAULT));
        }
    }

    @Override
    public void onTooLarge(long bytes, String head) {
        unreadable(new AdminReply.Failed(
                codec.peekRef(head),
                AdminErrorCode.FRAME_TOO_LARGE,
                "message too large: bytes>=" + bytes + ", limit=" + AdminProtocol.MAX_REQUEST_CHARS));
    }

    @Override
    public void onNoRoom(long bytes, String head) {
        unreadable(new AdminReply.Failed(
                codec.peekRef(head),
                AdminErrorCode.BUSY,
                "no room for this message among those that are being received, try again later: bytes>=" + bytes));
    }

    /** Requests under way have a right to their answers. */
    @Override
    public Future<Void> onViolation() {
        failing = true;
        completeIfAnswered();
        return answered.future();
    }

    private void completeIfAnswered() {
        if (failing && underWay.isEmpty()) {
            answered.tryComplete();
        }
    }

    @Override
    public void onDrain() {
        // progress that was left out is not made up for
    }

    private void unreadable(AdminReply.Failed failed) {
        binary = binary.refused(); // it may have been an update whose payload is on its way
        refuse("unreadable", failed);
    }

    private void onRequest(AdminRequest request) {
        requests++;
        boolean withPayload = request instanceof AdminRequest.WithFrames announced && announced.framesFollow();
        AdminReply.Failed refusal = refusal(request, withPayload);
        if (refusal != null) {
            binary = withPayload ? binary.refused() : binary;
            refuse("request", refusal);
            return;
        }
        underWay.add(request.ref());
        if (withPayload && request instanceof AdminRequest.WithFrames update) {
            binary = new BinaryInput.Payload(new PayloadFlow(update.ref(), update.frameBytes()), false);
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
        if (hasPayload && binary instanceof BinaryInput.Payload(PayloadFlow flow, boolean _)) {
            return new AdminReply.Failed(
                    ref, AdminErrorCode.BUSY, "an update of this connection has no answer yet: ref=" + flow.ref());
        }
        return null;
    }

    @Override
    public void onBinary(Buffer data, boolean first, long leftInFrame) {
        BinaryInput.Message before = first ? new BinaryInput.Message.Fresh() : message;
        Optional<PayloadFlow> owner =
                before instanceof BinaryInput.Message.RestOfFrame(PayloadFlow flow) ? Optional.of(flow) : binary.wanting();
        if (owner.isPresent()) {
            add(owner.get(), data, leftInFrame);
        } else if (before instanceof BinaryInput.Message.Fresh && !binary.discards()
                && data.length() > 0) { // some senders end with an empty fragment
            message = new BinaryInput.Message.Refused();
            refuse("binary", new AdminReply.Failed(null, AdminErrorCode.UNEXPECTED_BINARY,
                    "no update waits for a binary frame: bytes=" + (data.length() + leftInFrame)));
        } else {
            message = before;
        }
    }

    private void add(PayloadFlow flow, Buffer data, long leftInFrame) {
        message = leftInFrame > 0 ? new BinaryInput.Message.RestOfFrame(flow) : new BinaryInput.Message.Fresh();
        if (binary.unanswered().filter(flow::equals).isPresent()) { // else it has its answer, and this is the rest of a frame
            flow.add(data, leftInFrame);
            advance(flow);
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
        binary.unanswered().filter(flow -> flow.ref().equals(ref)).ifPresent(flow -> {
            flow.onDeskReady();
            advance(flow);
        });
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
        binary.unanswered().filter(flow -> flow.ref().equals(ref)).ifPresent(flow -> {
            binary = binary.answered(flow, reply instanceof AdminReply.Ack);
            connection.release();
        });
        send(reply);
        completeIfAnswered();
        closeIfDrained();
    }

    /** Says no to what the desk never hears of; what it does hear of, it writes down itself. */
    private void refuse(String what, AdminReply.Failed failed) {
        audit(what, failed);
        send(failed);
    }

    private void audit(String what, AdminReply.Failed failed) {
        audit.refused(what + "_" + failed.code().wireName(), () -> EventLine.of(what).with("outcome", "refused").with(caller)
                .withText("ref", failed.ref()).with("code", failed.code().wireName()).withText("message", failed.message()));
    }

    private void send(AdminReply reply) {
        connection.writeReply(codec.encode(reply));
    }

    private void closeIfDrained() {
        if (draining && underWay.isEmpty()) {
            connection.close(CloseCode.RESTART, ServerTexts.SHUTTING_DOWN);
        }
    }

    @Override
    public void onClose() {
        audit.done(EventLine.of("disconnected").with(caller).with("requests", requests).with("unanswered", underWay.size()));
        underWay.clear();
        binary = new BinaryInput.Unexpected();
        bus.toDesk(new ToDesk.Closed(address)).onFailure(nobody -> stopListening());
    }

    private void stopListening() {
        MessageConsumer<ToSession> listening = fromDesk;
        if (listening != null) {
            listening.unregister();
        }
    }

    private static AdminReply.Failed shuttingDown(String ref) {
        return new AdminReply.Failed(ref, AdminErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
    }
}

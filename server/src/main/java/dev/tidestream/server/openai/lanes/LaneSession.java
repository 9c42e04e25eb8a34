package dev.tidestream.server.openai.lanes;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.keys.KeyAccount;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.keys.StreamLease;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.responses.LiveResponse;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.Mailbox;
import dev.tidestream.server.transport.common.RefusedRequests;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Session;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.stream.ClientStream;
import dev.tidestream.server.transport.stream.FrameMapper;
import dev.tidestream.server.transport.websocket.CloseCode;
import dev.tidestream.server.transport.websocket.Connection;
import dev.tidestream.server.transport.websocket.ConnectionListener;

/**
 * One connection with lanes: messages in, turns, events out. An error concerns one request; all else goes on. Event loop.
 *
 * <p>Memory is bounded as on the own wire: towards the engine by {@link ClientStream}, towards the client by {@link Connection}; what waits
 * and what is kept by {@link LaneLimits}.
 */
final class LaneSession implements Session, ConnectionListener, ClientStream.Outlet {
    private static final Logger log = LoggerFactory.getLogger(LaneSession.class);
    private static final HttpError STOPPING = Answers.error(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
    private static final int SMALL_CHARS = 16 << 10; // more is read on a worker
    private static final int MAX_OVERLOADS = 64; // in a row; then it is told to come back later
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int TOO_LARGE = 413;

    private final Connection connection;
    private final EndpointFactory.Loop loop;
    private final LaneBackend backend;
    private final LaneLimits limits;
    private final LaneBudget.Share budget;
    private final KeyAccount account;
    private final RefusedRequests refused;
    private final int maxMessageBytes; // of this connection
    private final RequestTrace trace;
    private final LaneFrames frames;
    private final Mailbox mailbox;
    private final LatestResponses latest;
    private final LaneSchedule schedule;
    private final Lane unnamed = new Lane(null);
    private final Map<String, Lane> named = new HashMap<>();
    private EventLoopClock.@Nullable Timer age;
    private int overloads;
    private @Nullable HttpError ending; // what new requests are refused with
    private volatile boolean closed; // read by workers, too

    /** @param account of whoever has opened the connection */
    LaneSession(Connection connection, EndpointFactory.Loop loop, LaneBackend backend, LaneLimits limits, LaneBudget.Share budget,
            KeyAccount account, RefusedRequests refused, RequestTrace trace) {
        this.connection = connection;
        this.loop = loop;
        this.backend = backend;
        this.limits = limits;
        this.budget = budget;
        this.account = account;
        this.refused = refused;
        this.maxMessageBytes = loop.maxBodyBytes();
        this.trace = trace;
        this.frames = new LaneFrames(backend.reader());
        this.mailbox = new Mailbox(task -> loop.context().runOnContext(v -> task.run()));
        this.latest = new LatestResponses(budget);
        this.schedule = new LaneSchedule(Math.min(limits.maxRunning(), loop.streams().maxStreams()));
    }

    @Override
    public void run() {
        age = loop.clock().after(limits.maxAge(), this::tooOld);
        connection.run(this);
    }

    @Override
    public Future<Void> closed() {
        return connection.closed();
    }

    @Override
    public int underWay() {
        return schedule.count();
    }

    @Override
    public void abort() {
        connection.abort();
    }

    // ---- what comes

    /** A large message is read on a worker thread: on the event loop it would hold back every stream. */
    @Override
    public void onText(String text) {
        if (text.length() <= SMALL_CHARS) {
            handle(frames.read(text));
            return;
        }
        connection.hold(); // so that messages keep their order
        work(() -> closed, () -> frames.read(text)).onComplete(read -> {
            if (!closed) {
                handle(read.succeeded() ? read.result()
                        : new LaneFrame.Refused(null, fault("a message could not be read", read.cause())));
            }
            connection.release();
        });
    }

    private void handle(LaneFrame frame) {
        try {
            switch (frame) {
                case LaneFrame.Create create -> create(create);
                case LaneFrame.Cancel cancel -> cancel(cancel);
                case LaneFrame.Credit credit -> credit(credit);
                case LaneFrame.Refused r -> refuse(r.lane(), r.error());
            }
        } catch (RuntimeException e) {
            refuse(frame.lane(), fault("message failed", e));
        }
    }

    private void create(LaneFrame.Create create) {
        if (ending != null) {
            refuse(create.lane(), ending);
            return;
        }
        try {
            account.request();
        } catch (KeyLimitException e) {
            refuse(create.lane(), Answers.limit(e));
            return;
        }
        Lane lane = lane(create.lane());
        if (lane == null) {
            if (named.size() >= limits.maxLanes()) {
                refuse(create.lane(), HttpError.of(BAD_REQUEST, "websocket_stream_limit_reached", "stream_id",
                        "This connection has reached the maximum number of distinct stream IDs (%d).".formatted(limits.maxLanes())));
                return;
            }
            lane = new Lane(create.lane());
            named.put(String.valueOf(create.lane()), lane);
        }
        Turn turn = new Turn(this, backend, lane, create, create.trace() == null ? trace : create.trace());
        if (schedule.waitingCount() >= limits.maxWaiting() || !budget.take(turn.bytes())) {
            refuse(create.lane(), Answers.error(ErrorCode.BUSY,
                    "too much waits on this connection, or on all of them: waiting=%d, limit=%d, bytes=%d".formatted(schedule.waitingCount(), limits.maxWaiting(), turn.bytes())));
            if (++overloads >= MAX_OVERLOADS) {
                connection.close(CloseCode.TRY_AGAIN_LATER, "too many requests that do not wait for others to end");
            }
            return;
        }
        overloads = 0;
        schedule.add(turn);
    }

    private @Nullable Lane lane(@Nullable String name) {
        return name == null ? unnamed : named.get(name);
    }

    /** What has ended a moment ago is left alone: the message crossed its end on the way. */
    private void cancel(LaneFrame.Cancel cancel) {
        String id = cancel.responseId();
        Lane lane = lane(cancel.lane());
        Turn turn = id == null ? lane == null ? null : lane.current : schedule.making(id);
        boolean elsewhere = turn != null && cancel.lane() != null && turn.lane() != lane;
        if (turn != null && !elsewhere) {
            turn.cancel();
        } else if (elsewhere || lane == null || (id != null && latest.find(id) == null)) {
            refuse(cancel.lane(), HttpError.of(NOT_FOUND, "response_not_found", id == null ? "stream_id" : "response_id",
                    "no such response runs here: " + JsonAnswer.shown(id == null ? String.valueOf(cancel.lane()) : id)));
        }
    }

    /** The same. */
    private void credit(LaneFrame.Credit credit) {
        Lane lane = lane(credit.lane());
        Turn turn = lane == null ? null : lane.first();
        if (turn != null) {
            turn.grant(credit.tokens());
        } else if (lane == null) {
            refuse(credit.lane(), HttpError.of(NOT_FOUND, "response_not_found", "stream_id",
                    "nothing was asked for on this lane: " + JsonAnswer.shown(String.valueOf(credit.lane()))));
        }
    }

    @Override
    public void onTooLarge(long bytes, String head) {
        refuse(LaneFrames.laneOf(head), HttpError.of(TOO_LARGE, "request_too_large",
                "message too large: bytes>=%d, limit=%d".formatted(bytes, maxMessageBytes)));
    }

    @Override
    public void onNoRoom(long bytes, String head) {
        refuse(LaneFrames.laneOf(head), Answers.error(ErrorCode.BUSY,
                "no room for this message among those that are being received, try again later: bytes>=" + bytes));
    }

    @Override
    public void onBinary(Buffer part, boolean first, long leftInFrame) {
        if (first) {
            refuse(null, HttpError.of(BAD_REQUEST, "binary_frame", "messages are text"));
        }
    }

    /** What was not begun cannot be told of any more. */
    @Override
    public Future<Void> onViolation() {
        return Future.succeededFuture();
    }

    @Override
    public void onDrain() {
        schedule.running().forEach(Turn::ask);
    }

    @Override
    public void onClose() {
        closed = true;
        if (age != null) {
            age.cancel();
        }
        schedule.stop();
        schedule.running().forEach(Turn::gone);
        budget.giveAll();
    }

    // ---- what turns need

    Context context() {
        return loop.context();
    }

    /** Does what takes its time on a worker, unless nobody wants it any more when its turn comes. */
    <T> Future<T> work(BooleanSupplier gone, Callable<T> work) {
        return loop.workers().run(gone, work);
    }

    /** What answers that grow hold, on whatever wire. */
    AnswerMemory answers() {
        return loop.memory();
    }

    /** Whose connection it is. */
    Owner owner() {
        return account.owner();
    }

    /** Who shares the server with others, over all its connections. */
    Object sharer() {
        return account.owner().at(connection.remote());
    }

    /**
     * A stream that has not begun.
     *
     * @throws KeyLimitException if as many run as the key may have
     */
    ClientStream stream(String id, OptionalInt credit, Generation generation, FrameMapper frame) throws KeyLimitException {
        StreamLease lease = account.streams(1, 1).getFirst();
        return new ClientStream(id, credit, generation, mailbox, this, frame, loop.streams().windowTokens(), lease);
    }

    /** It waits no more. */
    void started(Turn turn) {
        budget.give(turn.bytes());
    }

    /** The latest response of some lane; null if it is none. */
    @Nullable LiveResponse latest(String id) {
        return latest.find(id);
    }

    /** Its response is known to the client from now on. */
    void named(Turn turn, String responseId) {
        schedule.named(turn, responseId);
    }

    /** Sends a message. */
    void send(String message, boolean reply) {
        if (reply) {
            connection.writeReply(message);
        } else {
            connection.write(message);
        }
    }

    /** Answers with an error, which is all that the client is told of a request. */
    void refuse(@Nullable String lane, HttpError error) {
        refused.message(String.valueOf(error.code()), lane, error.message());
        connection.writeReply(LaneFrames.error(lane, error));
    }

    /** Writes down that a response has failed. */
    void note(Lane lane, HttpError error) {
        refused.message(String.valueOf(error.code()), lane.name, error.message());
    }

    /** What a client is told of a failure. */
    HttpError error(Throwable cause) {
        return cause instanceof BadRequestException refusal ? refusal.error() : fault("request failed", cause);
    }

    HttpError fault(String what, Throwable cause) {
        log.error("{}: remote={}", what, connection.remote(), cause);
        return Answers.error(ErrorCode.INTERNAL, ServerTexts.FAULT);
    }

    /** A turn that ran has ended, and its client knows. */
    void ended(Turn turn, boolean failed) {
        LiveResponse response = turn.response();
        String previous = turn.previousId();
        if (failed && previous != null) {
            latest.forget(turn.lane(), previous);
        } else if (!failed && response != null) {
            latest.keep(turn.lane(), response);
        }
        schedule.ended(turn, response == null ? null : response.origin().id());
        if (ending != null) {
            refuseWaiting(ending);
        }
    }

    @Override
    public boolean writable() {
        return connection.writable();
    }

    @Override
    public void ended(ClientStream stream) {} // its turn will say so

    // ---- the end

    @Override
    public void drain() {
        end(STOPPING);
    }

    /** Nothing new is begun; what runs goes on. */
    private void end(HttpError error) {
        ending = error;
        schedule.stop();
        refuseWaiting(error);
    }

    /** Those whose lane is free: an error on another would be taken for that of what runs there. */
    private void refuseWaiting(HttpError error) {
        for (Turn turn : schedule.takeIdle()) {
            budget.give(turn.bytes());
            refuse(turn.lane().name, error);
        }
        if (schedule.count() == 0) {
            mailbox.post(() -> connection.close(CloseCode.RESTART, ServerTexts.SHUTTING_DOWN));
        }
    }

    @Override
    public void breakOff() {
        endAll(STOPPING);
        connection.close(CloseCode.RESTART, ServerTexts.SHUTTING_DOWN);
    }

    private void tooOld() {
        HttpError error = HttpError.of(BAD_REQUEST, "websocket_connection_limit_reached",
                "Responses websocket connection limit reached (%d minutes). Create a new websocket connection to continue."
                        .formatted(limits.maxAge().toMinutes()));
        endAll(error);
        refuse(null, error);
        connection.close(CloseCode.GOING_AWAY, "connection limit reached");
    }

    private void endAll(HttpError error) {
        end(error);
        schedule.running().forEach(turn -> turn.failed(error));
    }
}

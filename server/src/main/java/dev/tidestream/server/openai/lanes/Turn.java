package dev.tidestream.server.openai.lanes;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Future;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.keys.KeyLimitException;
import dev.tidestream.server.openai.Answers;
import dev.tidestream.server.openai.Plan;
import dev.tidestream.server.openai.ServedModel;
import dev.tidestream.server.openai.lanes.LaneBackend.Planned;
import dev.tidestream.server.openai.responses.LiveResponse;
import dev.tidestream.server.openai.responses.LiveResponse.Status;
import dev.tidestream.server.openai.responses.ResponseEvents;
import dev.tidestream.server.openai.responses.ResponseGrowth;
import dev.tidestream.server.openai.responses.ResponsesEndpoints;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.ResponseRequest;
import dev.tidestream.server.tracing.RequestTrace;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.ClientStream;

/**
 * One {@code response.create}, from when it came to the last event of its response. It ends once: its stream ends or fails, the client wants
 * no more of it or has gone, the server stops. Event loop.
 */
final class Turn implements ResponseGrowth.Listener {
    private static final int BYTES_EACH = 256; // beside its text
    private static final int LEAST_BYTES = 4096; // of a response that grows; without them none is begun

    private final LaneSession session;
    private final LaneBackend backend;
    private final Lane lane;
    private final @Nullable String previousId;
    private final RequestTrace trace;
    private final long bytes;
    private @Nullable String text; // until it starts
    private long credit; // granted before there was a stream
    private @Nullable LiveResponse response;
    private @Nullable ResponseGrowth growth;
    private @Nullable ClientStream stream;
    private final AnswerMemory.Share memory;
    private final JsonBytes message = new JsonBytes();
    private int sent;
    private boolean cancelled;
    private volatile boolean over; // read by workers, too

    /** @param trace where it belongs in its caller's */
    Turn(LaneSession session, LaneBackend backend, Lane lane, LaneFrame.Create create, RequestTrace trace) {
        this.session = session;
        this.memory = session.answers().share();
        this.backend = backend;
        this.lane = lane;
        this.previousId = create.previousId();
        this.text = create.text();
        this.trace = trace;
        this.bytes = BYTES_EACH + 2L * create.text().length();
    }

    Lane lane() {
        return lane;
    }

    /** The response that it goes on from. */
    @Nullable String previousId() {
        return previousId;
    }

    /** What it takes while it waits. */
    long bytes() {
        return bytes;
    }

    /** The response, if there is one that the client knows of. */
    @Nullable LiveResponse response() {
        return accepted() ? response : null;
    }

    private boolean accepted() {
        return growth != null && growth.accepted();
    }

    /** Its turn has come. */
    void start() {
        session.started(this);
        if (previousId == null) {
            plan(List.of());
            return;
        }
        LiveResponse latest = session.latest(previousId);
        if (latest != null) {
            plan(latest.conversation());
            return;
        }
        Future.fromCompletionStage(backend.store().find(previousId, session.owner()), session.context()).onComplete(found -> {
            if (over) {
                return;
            }
            Optional<List<JsonNode>> prior = found.failed() ? Optional.empty()
                    : found.result().filter(LiveResponse::canGoOn).map(LiveResponse::conversation);
            if (found.failed()) {
                failed(session.fault("a response could not be looked up", found.cause()));
            } else if (prior.isPresent()) {
                plan(prior.get());
            } else {
                failed(ResponsesEndpoints.previousNotFound(previousId));
            }
        });
    }

    private void plan(List<JsonNode> prior) {
        String asked = text;
        text = null;
        session.work(() -> over, () -> backend.plan(String.valueOf(asked), prior))
                .compose(planned -> Future.fromCompletionStage(backend.model().fingerprints().ready(), session.context()).map(planned))
                .onComplete(planned -> {
                    if (over) {
                        return;
                    }
                    if (planned.succeeded()) {
                        begin(planned.result());
                    } else {
                        failed(session.error(planned.cause()));
                    }
                });
    }

    private void begin(Planned planned) {
        try {
            generate(planned);
        } catch (KeyLimitException e) {
            refused(Answers.limit(e));
        } catch (RuntimeException e) { // a fault of ours
            failed(session.fault("no response could be begun", e));
        }
    }

    private void generate(Planned planned) throws KeyLimitException {
        if (!memory.grow(LEAST_BYTES)) {
            refused(Answers.noRoom(session.answers()));
            return;
        }
        ResponseRequest request = planned.request();
        LiveResponse made = new LiveResponse(LiveResponse.Origin.of(backend.model().nameOf(request.common()), session.owner(), request, planned.prior()));
        ResponseGrowth grows = new ResponseGrowth(made, backend.store(), backend.model(), backend.texts(),
                request.common().topLogprobs() >= 0, this);
        response = made;
        growth = grows;
        made.cancelBy(this::cancel);
        Plan plan = planned.plan();
        if (plan == null) {
            ServedModel now = backend.model().model().get();
            grows.prepared(now.weightsVersion(), now.headMode());
            finished(Status.COMPLETED, new Usage(0, 0));
            return;
        }
        Generation generation = backend.model().engine().generate(plan.requests(session, session.sharer(), trace).getFirst());
        ClientStream begun = session.stream(made.origin().id(), creditOf(request), generation, grows);
        stream = begun;
        try {
            begun.begin();
        } catch (RuntimeException e) {
            begun.onError(e);
        }
        if (cancelled) {
            begun.stop();
        }
    }

    /** A warm-up has no tokens to be paid for. */
    private OptionalInt creditOf(ResponseRequest request) {
        if (request.credit().isEmpty() || !request.generate()) {
            return OptionalInt.empty();
        }
        return OptionalInt.of((int) Math.min(Integer.MAX_VALUE, request.credit().getAsInt() + credit));
    }

    /** More tokens, at least 1. */
    void grant(int tokens) {
        if (stream != null) {
            stream.grant(tokens);
        } else {
            credit = Math.min(Integer.MAX_VALUE, credit + tokens);
        }
    }

    /** The socket takes more. */
    void ask() {
        if (stream != null) {
            stream.ask();
        }
    }

    /** The client wants no more of it; it is told of the response in any case, and that it ends. */
    void cancel() {
        if (over) {
            return;
        }
        cancelled = true;
        if (accepted()) {
            abandon();
            end(Status.CANCELLED, null, null);
        } else if (stream != null) {
            stream.stop();
        }
    }

    /** The client has gone; what there is of its response is kept if it was to be. */
    void gone() {
        if (over) {
            return;
        }
        over = true;
        abandon();
        memory.release();
        if (growth != null && growth.accepted()) {
            growth.end(Status.CANCELLED, null, null);
        }
    }

    private void abandon() {
        if (stream != null) {
            stream.abandon();
        }
    }

    @Override
    public void grown() {
        LiveResponse told = response;
        if (over || told == null) {
            return;
        }
        if (sent == 0) {
            session.named(this, told.origin().id());
        }
        if (!memory.grow(Math.max(LEAST_BYTES, told.bytes()))) {
            failed(Answers.noRoom(session.answers()));
            return;
        }
        send(told);
        if (cancelled) {
            cancel();
        }
    }

    private void send(LiveResponse told) {
        for (int count = ResponseEvents.count(told); sent < count; sent++) {
            session.send(ResponseEvents.message(message.clear(), told, sent, lane.name).toText(), !ResponseEvents.isDelta(told, sent));
        }
    }

    @Override
    public void finished(Status status, Usage usage) {
        if (!over) {
            end(status, usage, null);
        }
    }

    /** Ends it with an error: a response that the client knows of has failed, another request is refused. */
    @Override
    public void failed(HttpError error) {
        if (over) {
            return;
        }
        abandon();
        if (accepted()) {
            session.note(lane, error);
            end(Status.FAILED, null, error);
        } else {
            over = true;
            memory.release();
            session.refuse(lane.name, error);
            session.ended(this, true);
        }
    }

    /** Ends it because it may not begin now; what it goes on from stays, so that it can be asked for again. */
    private void refused(HttpError error) {
        over = true;
        memory.release();
        session.refuse(lane.name, error);
        session.ended(this, false);
    }

    private void end(Status status, @Nullable Usage usage, @Nullable HttpError error) {
        over = true;
        if (growth != null && response != null) {
            growth.end(status, usage, error);
            send(response);
        }
        memory.release();
        session.ended(this, status == Status.FAILED);
    }
}

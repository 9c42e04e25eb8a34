package dev.tidestream.server.admin.channel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.AdminAudit;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.channel.ReceivingUpdate.Step;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.admin.channel.bus.ToDesk;
import dev.tidestream.server.admin.channel.bus.ToSession;
import dev.tidestream.server.logging.Caller;

/**
 * From messages of the bus to blocking calls of the desk, and back. Its state belongs to one event loop; calls run on the pool,
 * in three bulkheads, so that one kind never takes the threads of another:
 * <ul>
 *   <li>changes (set, rollback, update from a file, the end of a received update), which may take minutes;
 *   <li>transfers (the start of an update or of a part, its chunks, giving it up), which wait for the disk at most;
 *   <li>reads, which always find a thread.
 * </ul>
 * An update in the making ({@link ReceivingUpdate}) has at most one call under way. Its answer is sent when nothing of it is
 * left, so the session may announce the next one at once.
 */
final class AdminDispatcher {
    private static final Logger log = LoggerFactory.getLogger(AdminDispatcher.class);

    private interface DeskCall {
        Step run() throws AdminException;
    }

    private final AdminDesk desk;
    private final AdminBus bus;
    private final AdminAudit audit;
    private final Bulkhead reads;
    private final Bulkhead transfers;
    private final Bulkhead changes;
    private final long progressIntervalNs;
    private final LongSupplier nanoTime;
    private final Map<String, ReceivingUpdate> receiving = new HashMap<>(); // by session
    private final Promise<Void> stopped = Promise.promise();

    private volatile boolean stopping; // written on the event loop
    private int underWay;
    private boolean maintaining;

    /** @param workers threads of the pool, at least 3 */
    AdminDispatcher(
            AdminDesk desk,
            AdminBus bus,
            AdminAudit audit,
            WorkerExecutor pool,
            int workers,
            Duration progressInterval,
            LongSupplier nanoTime) {
        this.desk = desk;
        this.bus = bus;
        this.audit = audit;
        this.changes = new Bulkhead(pool, workers / 2);
        this.transfers = new Bulkhead(pool, workers - workers / 2 - 1);
        this.reads = new Bulkhead(pool, workers);
        this.progressIntervalNs = progressInterval.toNanos();
        this.nanoTime = nanoTime;
    }

    void on(ToDesk message) {
        switch (message) {
            case ToDesk.Call call -> call(call.session(), call.caller(), call.request());
            case ToDesk.Chunk chunk -> chunk(chunk);
            case ToDesk.Closed closed -> closed(closed.session());
        }
    }

    /** Takes nothing new, gives up what is being received, and completes when the last call has returned. */
    Future<Void> stop() {
        stopping = true;
        underWay++; // a call below may be over before the next one begins, and the last one counts
        for (ReceivingUpdate update : new ArrayList<>(receiving.values())) {
            end(update, update.state().giveUp(update.refusal(AdminErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN)));
        }
        underWay--;
        completeIfStopped();
        return stopped.future();
    }

    private void call(String session, Caller caller, AdminRequest request) {
        if (stopping) {
            AdminReply.Failed refusal = shuttingDown(request.ref());
            audit.answered(caller, request, refusal);
            reply(session, refusal);
            return;
        }
        switch (request) {
            case AdminRequest.WithFrames update when update.framesFollow() -> begin(session, caller, update);
            case AdminRequest.WithFrames u -> handle(changes, session, caller, u);
            case AdminRequest.OpenUpdate o -> handle(transfers, session, caller, o);
            case AdminRequest.AbortUpdate a -> handle(transfers, session, caller, a);
            case AdminRequest.CommitUpdate c -> handle(changes, session, caller, c);
            case AdminRequest.UpdateState s -> handle(reads, session, caller, s);
            case AdminRequest.OptimizationSet s -> handle(changes, session, caller, s);
            case AdminRequest.WeightsRollback r -> handle(changes, session, caller, r);
            case AdminRequest.OptimizationStatus s -> handle(reads, session, caller, s);
            case AdminRequest.WeightsStatus s -> handle(reads, session, caller, s);
            case AdminRequest.WeightsHistory h -> handle(reads, session, caller, h);
            case AdminRequest.Stats s -> handle(reads, session, caller, s);
            case AdminRequest.Streams s -> handle(reads, session, caller, s);
            case AdminRequest.AdapterLoad a -> handle(changes, session, caller, a);
            case AdminRequest.AdapterUnload a -> handle(changes, session, caller, a);
            case AdminRequest.AdapterStatus a -> handle(reads, session, caller, a);
        }
    }

    private void handle(Bulkhead bulkhead, String session, Caller caller, AdminRequest request) {
        ThrottledProgress progress = progress(session, request.ref());
        run(bulkhead, caller, request, () -> attempt(request.ref(), () -> answer(request.ref(), desk.handle(request, progress))), step -> {
            progress.end();
            reply(session, ((Step.Answered) step).reply());
        });
    }

    private void begin(String session, Caller caller, AdminRequest.WithFrames request) {
        if (receiving.containsKey(session)) {
            throw new IllegalStateException("one update at a time: session=" + session + ", ref=" + request.ref());
        }
        ReceivingUpdate update = new ReceivingUpdate(session, caller, request, progress(session, request.ref()));
        receiving.put(session, update);
        step(transfers, update, null, () -> switch (desk.begin(request, update.progress)) {
            case AdminDesk.UpdateStart.Repeated repeated -> answer(request.ref(), repeated.ack());
            case AdminDesk.UpdateStart.Receiving start -> new Step.Opened(start.upload());
        });
    }

    private void chunk(ToDesk.Chunk chunk) {
        ReceivingUpdate update = receiving.get(chunk.session());
        if (update == null || !update.request.ref().equals(chunk.ref())) {
            return; // it crossed the answer
        }
        switch (update.state()) {
            case UploadState.Receiving state when !state.writing() -> write(update, state, chunk.data());
            case UploadState.GivenUp _ -> { } // it crossed the refusal
            case UploadState.Announced _, UploadState.Receiving _, UploadState.Finishing _ ->
                throw new IllegalStateException("a chunk before its time: session=" + chunk.session() + ", ref=" + chunk.ref());
        }
    }

    private void write(ReceivingUpdate update, UploadState.Receiving state, Buffer data) {
        UploadState.Receiving writing = state.write(data.length());
        if (writing.receivedBytes() > update.request.frameBytes()) {
            AdminReply.Failed reason = new AdminReply.Failed(update.request.ref(), AdminErrorCode.INVALID_LENGTH,
                    writing.withNumbers("payload too long", update.request.frameBytes()));
            end(update, state.giveUp(reason));
            return;
        }
        update.state(writing);
        step(transfers, update, state.upload(), () -> {
            state.upload().accept(ByteBuffer.wrap(data.getBytes()));
            return new Step.Written();
        });
    }

    private void closed(String session) {
        ReceivingUpdate update = receiving.get(session);
        if (update == null) {
            bus.toSession(session, new ToSession.Goodbye());
        } else {
            AdminReply.Failed reason = update.refusal(
                    AdminErrorCode.INVALID_LENGTH, "the connection closed before the payload was complete");
            end(update, update.state().gone(reason));
        }
    }

    /** Goes to a state without a way back to receiving; if no call is under way that would lead there, at once. */
    private void end(ReceivingUpdate update, UploadState next) {
        UploadState before = update.state();
        update.state(next);
        if (before instanceof UploadState.Receiving(var _, var _, boolean writing) && !writing
                && next instanceof UploadState.GivenUp givenUp) {
            abandon(update, givenUp);
        }
    }

    private void abandon(ReceivingUpdate update, UploadState.GivenUp state) {
        step(transfers, update, state.upload(), () -> refused(state.upload(), state.reason()));
    }

    /** Worker thread. */
    private static Step refused(AdminDesk.@Nullable Upload upload, AdminReply.Failed reason) {
        if (upload != null) {
            upload.giveUp(reason.code());
        }
        return new Step.Answered(reason);
    }

    /** A call of the desk for this update; whatever ends the update closes the upload in the same go. */
    private void step(Bulkhead bulkhead, ReceivingUpdate update, AdminDesk.@Nullable Upload upload, DeskCall call) {
        Callable<Step> work = () -> {
            Step step = attempt(update.request.ref(), call);
            if (step instanceof Step.Answered && upload != null) {
                close(upload, update.request.ref());
            }
            return step;
        };
        run(bulkhead, update.caller, update.request, work, step -> onStep(update, step));
    }

    private void onStep(ReceivingUpdate update, Step step) {
        String ref = update.request.ref();
        long byteLength = update.request.frameBytes();
        switch (step) {
            case Step.Answered answered -> {
                receiving.remove(update.session);
                update.progress.end();
                bus.toSession(update.session,
                        update.state().isGone() ? new ToSession.Goodbye() : new ToSession.Reply(answered.reply()));
            }
            case Step.Opened(AdminDesk.Upload upload) ->
                goOn(update, update.state().opened(upload, byteLength), new ToSession.Receiving(ref));
            case Step.Written _ -> goOn(update, update.state().written(byteLength), new ToSession.ChunkTaken(ref));
        }
    }

    private void goOn(ReceivingUpdate update, UploadState next, ToSession more) {
        update.state(next);
        switch (next) {
            case UploadState.Receiving state -> {
                update.progress.report("receiving", state.receivedBytes(), update.request.frameBytes());
                bus.toSession(update.session, more);
            }
            case UploadState.Finishing state -> finish(update, state.upload());
            case UploadState.GivenUp state -> abandon(update, state);
            case UploadState.Announced _ -> throw new IllegalStateException("announced twice: ref=" + update.request.ref());
        }
    }

    private void finish(ReceivingUpdate update, AdminDesk.Upload upload) {
        step(changes, update, upload, () -> stopping
                ? refused(upload, shuttingDown(update.request.ref()))
                : answer(update.request.ref(), upload.finish(update.progress)));
    }

    /** Answers are written down on the worker thread, before anybody is told. */
    private void run(Bulkhead bulkhead, Caller caller, AdminRequest request, Callable<Step> work, Consumer<Step> then) {
        underWay++;
        bulkhead.run(() -> audited(caller, request, work.call())).onComplete(done -> {
            underWay--;
            if (done.failed()) {
                log.error("an admin request was not carried out: ref={}", request.ref(), done.cause());
            }
            if (bulkhead == changes) {
                maintain();
            }
            then.accept(done.succeeded() ? done.result() : audited(caller, request, new Step.Answered(fault(request.ref()))));
            completeIfStopped();
        });
    }

    /** What the desk likes to do after changes; it takes a thread of theirs, once at a time. */
    void maintain() {
        if (maintaining || stopping) {
            return;
        }
        maintaining = true;
        underWay++;
        Callable<Boolean> work = () -> {
            desk.maintain(() -> stopping);
            return true;
        };
        changes.run(work).onComplete(done -> {
            underWay--;
            maintaining = false;
            if (done.failed()) {
                log.error("maintenance failed", done.cause());
            }
            completeIfStopped();
        });
    }

    private Step audited(Caller caller, AdminRequest request, Step step) {
        if (step instanceof Step.Answered(AdminReply reply)) {
            audit.answered(caller, request, reply);
        }
        return step;
    }

    private void completeIfStopped() {
        if (stopping && underWay == 0) {
            stopped.tryComplete();
        }
    }

    /** Worker thread. */
    private Step attempt(String ref, DeskCall call) {
        try {
            return call.run();
        } catch (AdminException e) {
            if (e.code() == AdminErrorCode.INTERNAL) {
                log.error("admin request failed: ref={}", ref, e);
            }
            return new Step.Answered(new AdminReply.Failed(ref, e.code(), String.valueOf(e.getMessage())));
        } catch (RuntimeException | Error e) {
            log.error("admin request failed: ref={}", ref, e);
            return new Step.Answered(fault(ref));
        }
    }

    private static AdminReply.Failed fault(String ref) {
        return new AdminReply.Failed(ref, AdminErrorCode.INTERNAL, ServerTexts.FAULT);
    }

    private static Step answer(String ref, AdminReply.Ack ack) {
        if (!ack.ref().equals(ref)) {
            throw new IllegalStateException("the desk has answered another request: ref=" + ref + ", ack=" + ack);
        }
        return new Step.Answered(ack);
    }

    /** Worker thread. What was acknowledged stays so. */
    private static void close(AdminDesk.Upload upload, String ref) {
        try {
            upload.close();
        } catch (RuntimeException e) {
            log.error("upload could not be closed: ref={}", ref, e);
        }
    }

    private ThrottledProgress progress(String session, String ref) {
        return new ThrottledProgress(ref, progressIntervalNs, nanoTime, report -> reply(session, report));
    }

    private void reply(String session, AdminReply reply) {
        bus.toSession(session, new ToSession.Reply(reply));
    }

    private static AdminReply.Failed shuttingDown(@Nullable String ref) {
        return new AdminReply.Failed(ref, AdminErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
    }
}

package dev.tidestream.server.admin.channel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminAudit;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.channel.bus.AdminBus;
import dev.tidestream.server.admin.channel.bus.ToDesk;
import dev.tidestream.server.admin.channel.bus.ToSession;
import dev.tidestream.server.logging.Caller;
import dev.tidestream.server.logging.EventLog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Calls that return at once, late, or not at all, as on a loaded machine; all on one thread. */
class AdminDispatcherTest {
    private static final int PATIENCE_S = 60;
    private static final Caller CALLER = new Caller("a1", "127.0.0.1:1", "0f1e2d3c");

    private final Vertx vertx = Vertx.vertx();
    private final HeldPool pool = new HeldPool();
    private final Desk desk = new Desk();
    private final AdminDispatcher dispatcher =
            new AdminDispatcher(
                    desk, AdminBus.of(vertx), new AdminAudit(EventLog.of(EventLog.AUDIT)), pool, 4, Duration.ofMillis(500), () -> 0);

    @AfterEach
    void close() throws Exception {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
    }

    @Test
    void shouldNotHaveStoppedBeforeTheLastUploadIsClosed() {
        announce("one", "a");
        announce("two", "a");
        assertEquals(2, desk.uploads.size());
        pool.callsAtOnce = 1;
        Future<Void> stopped = dispatcher.stop();
        assertFalse(stopped.isComplete(), "stopped, with an upload open");
        pool.release();
        assertTrue(stopped.succeeded());
        assertTrue(desk.uploads.stream().allMatch(upload -> upload.closed));
    }

    @Test
    void shouldTellTheDeskOnceWhatItRefusesItself() {
        announce("long", "a");
        announce("gone", "a");
        announce("slow", "a");
        announce("last", "a");
        send("long", 33);
        dispatcher.on(new ToDesk.Closed("gone"));
        pool.callsAtOnce = 1; // the chunk, not the end
        send("last", 32);
        Future<Void> stopped = dispatcher.stop();
        pool.release();
        assertTrue(stopped.succeeded());
        assertEquals(
                List.of(List.of(AdminErrorCode.INVALID_LENGTH), List.of(AdminErrorCode.INVALID_LENGTH),
                        List.of(AdminErrorCode.SHUTTING_DOWN), List.of(AdminErrorCode.SHUTTING_DOWN)),
                desk.uploads.stream().map(upload -> upload.refusals).toList());
        assertTrue(desk.uploads.stream().allMatch(upload -> upload.closed));
    }

    private void send(String session, int bytes) {
        dispatcher.on(new ToDesk.Chunk(session, "a", Buffer.buffer(new byte[bytes])));
    }

    @Test
    void shouldAnswerWhatNoThreadTakes() throws Exception {
        Promise<ToSession> heard = Promise.promise();
        String session = AdminBus.newSession();
        AdminBus.of(vertx).listenAsSession(session, heard::complete).completion().await(PATIENCE_S, TimeUnit.SECONDS);
        pool.closed = true;
        dispatcher.on(new ToDesk.Call(session, CALLER, new AdminRequest.Stats("s")));
        ToSession answer = heard.future().await(PATIENCE_S, TimeUnit.SECONDS);
        assertTrue(answer instanceof ToSession.Reply reply && reply.reply() instanceof AdminReply.Failed failed
                && failed.code() == AdminErrorCode.INTERNAL && "s".equals(failed.ref()), answer.toString());
        assertTrue(dispatcher.stop().succeeded(), "it waits for a call that nobody makes");
    }

    @Test
    void shouldLetTheDeskDoWhatIsForLaterAfterChangesAndNotTwiceAtOnce() {
        pool.callsAtOnce = 0;
        dispatcher.maintain();
        dispatcher.maintain();
        dispatcher.on(new ToDesk.Call("s", CALLER, new AdminRequest.Stats("read"))); // a read asks for nothing
        pool.release();
        assertEquals(1, desk.maintained);
        dispatcher.on(new ToDesk.Call("s", CALLER, new AdminRequest.WeightsRollback("back", 1)));
        assertEquals(2, desk.maintained);
    }

    @Test
    void shouldWaitForWhatIsForLaterWhenItStopsAndTellItToEnd() {
        pool.callsAtOnce = 0;
        dispatcher.maintain();
        Future<Void> stopped = dispatcher.stop();
        assertFalse(stopped.isComplete());
        pool.release();
        assertTrue(stopped.succeeded());
        assertEquals(1, desk.givenUp);
        dispatcher.maintain();
        assertEquals(1, desk.maintained, "and nothing afterwards");
    }

    private void announce(String session, String ref) {
        dispatcher.on(new ToDesk.Call(session, CALLER, new AdminRequest.WeightsUpdate(ref, "u", 1, "t", UpdateKind.REPLACE,
                List.of(8L), PayloadType.F32, "0".repeat(64), 32, OptionalInt.empty(), null)));
    }

    private static final class Desk implements AdminDesk {
        final List<FakeUpload> uploads = new ArrayList<>();

        int maintained;
        int givenUp;

        @Override
        public AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException {
            throw new AdminException(AdminErrorCode.NO_DATA_DIR, "this desk does nothing: " + request.ref());
        }

        @Override
        public void maintain(BooleanSupplier stop) {
            maintained++;
            givenUp += stop.getAsBoolean() ? 1 : 0;
        }

        @Override
        public UpdateStart begin(AdminRequest.WithFrames update, ProgressSink progress) {
            uploads.add(new FakeUpload());
            return new UpdateStart.Receiving(uploads.getLast());
        }
    }

    private static final class FakeUpload implements AdminDesk.Upload {
        final List<AdminErrorCode> refusals = new ArrayList<>();
        boolean closed;

        @Override
        public void accept(ByteBuffer chunk) {
            assertFalse(closed);
        }

        @Override
        public void giveUp(AdminErrorCode why) {
            assertFalse(closed);
            refusals.add(why);
        }

        @Override
        public AdminReply.Ack finish(AdminDesk.ProgressSink progress) {
            throw new AssertionError("the server stops first");
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    /** Makes so many calls at once, before it returns, and holds back those after. */
    private static final class HeldPool implements WorkerExecutor {
        int callsAtOnce = Integer.MAX_VALUE;
        boolean closed;
        private final Queue<Runnable> held = new ArrayDeque<>();

        @Override
        public <T> Future<@Nullable T> executeBlocking(Callable<T> work, boolean ordered) {
            if (closed) {
                throw new RejectedExecutionException("closed");
            }
            Promise<@Nullable T> promise = Promise.promise();
            held.add(() -> {
                try {
                    promise.complete(work.call());
                } catch (Exception e) {
                    promise.fail(e);
                }
            });
            if (callsAtOnce > 0) {
                callsAtOnce--;
                held.remove().run();
            }
            return promise.future();
        }

        void release() {
            callsAtOnce = Integer.MAX_VALUE;
            while (!held.isEmpty()) {
                held.remove().run();
            }
        }

        @Override
        public Future<Void> close() {
            closed = true;
            return Future.succeededFuture();
        }

        @Override
        public boolean isMetricsEnabled() {
            return false;
        }
    }
}

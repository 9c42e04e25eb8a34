package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Requests that need no payload, over real sockets. */
@ExtendWith(NettyLeakCheck.class)
class AdminIT {
    private AdminServer server;

    @BeforeEach
    void start() throws Exception {
        server = new AdminServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static AdminRequest set(String ref) {
        return new AdminRequest.OptimizationSet(ref, OptimizationMode.CACHED_TRANSPOSE, false);
    }

    @Test
    void shouldHandEveryRequestToTheDeskAndBringBackItsAnswer() throws Exception {
        List<AdminRequest> requests = List.of(
                set("a"),
                new AdminRequest.OptimizationSet("b", OptimizationMode.PACKED, true),
                new AdminRequest.OptimizationStatus("c"),
                new AdminRequest.WeightsUpdate(
                        "d", "u", 1, "output.weight", UpdateKind.LOW_RANK, List.of(10L, 4L), PayloadType.F16,
                        AdminClient.sha256(new byte[0]), 56, OptionalInt.of(2), "a/b.safetensors"),
                new AdminRequest.WeightsRollback("e", 1),
                new AdminRequest.WeightsStatus("f"),
                new AdminRequest.WeightsHistory("g"),
                new AdminRequest.Stats("ref é🌊"));
        try (AdminClient client = server.client()) {
            for (AdminRequest request : requests) {
                AdminReply.Ack ack = client.send(request).ack(request.ref());
                assertEquals(1, ack.weightsVersion());
                assertEquals(
                        Map.of("did", request.getClass().getSimpleName(), "levels", List.of(Map.of("bytes", 5L))), ack.details());
            }
            client.send("{\"type\":\"optimization.set\",\"ref\":\"h\",\"optimize_for_inference\":false}").ack("h");
        }
        List<AdminRequest> expected = new ArrayList<>(requests);
        expected.add(new AdminRequest.OptimizationSet("h", OptimizationMode.TRANSPOSE_PER_STEP, true));
        assertEquals(expected, server.desk.handled);
        List<String> threads = server.desk.threads;
        assertTrue(threads.stream().allMatch(name -> name.startsWith("tidestream-admin")), threads.toString());
    }

    @Test
    void shouldTellRefusalsAndHideFaults() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(set("refuse")).failed("refuse", AdminErrorCode.NO_TIED_WEIGHTS, "tensor=output.weight");
            for (String ref : List.of("crash", "error", "other")) {
                AdminReply.Failed failed = client.send(set(ref)).failed(ref, AdminErrorCode.INTERNAL, "its log has the details");
                assertFalse(failed.message().contains(FakeDesk.SECRET), failed.message());
            }
            client.barrier("b");
        }
    }

    @Test
    void shouldReportProgressInOrderBeforeTheAnswer() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(set("work"));
            client.progress("work", "building", 0, 2); // the clock stands still: the second one of a stage is left out
            client.progress("work", "verifying", 0, 1);
            client.progress("work", "publishing", 1, 1);
            client.ack("work");
        }
    }

    @Test
    void shouldAnswerReadsWhileChangesRun() throws Exception {
        try (AdminClient client = server.client(); AdminClient other = server.client()) {
            for (int i = 0; i < 7; i++) { // more than the pool has threads
                client.send(set("hold" + i));
            }
            server.desk.await(() -> server.desk.waiting.get() == 2);
            for (AdminClient c : List.of(client, other)) {
                c.send(new AdminRequest.WeightsStatus("s")).ack("s");
                c.send(new AdminRequest.WeightsHistory("h")).ack("h");
                c.send(new AdminRequest.OptimizationStatus("o")).ack("o");
                c.barrier("b");
            }
            byte[] payload = new byte[400];
            other.send(AdminClient.update("u", "stale", payload)).failed("u", AdminErrorCode.STALE_BASE_VERSION, "");
            server.desk.openGate();
            for (int i = 0; i < 7; i++) {
                assertTrue(client.next() instanceof AdminReply.Ack);
            }
        }
    }

    @Test
    void shouldBoundRequestsUnderWayAndKeepTheirRefsApart() throws Exception {
        try (AdminClient client = server.client(); AdminClient other = server.client()) {
            client.send(set("hold0")).send(set("hold0"));
            client.failed("hold0", AdminErrorCode.INVALID_VALUE, "a request under way has it already: hold0");
            for (int i = 1; i < 8; i++) {
                client.send(set("hold" + i));
            }
            client.send(set("hold8")).failed("hold8", AdminErrorCode.BUSY, "under_way=8, limit=8");
            other.send(set("hold0")); // another connection has refs of its own
            server.desk.openGate();
            for (int i = 0; i < 8; i++) {
                assertTrue(client.next() instanceof AdminReply.Ack);
            }
            other.ack("hold0");
            client.send(set("hold0")).ack("hold0");
        }
    }

    @Test
    void shouldFinishARunningChangeBeforeTheDeskStops() throws Exception {
        try (AdminClient client = server.client()) {
            client.send(set("hold"));
            server.desk.await(() -> server.desk.waiting.get() == 1);
            Future<Void> stopped = server.stopDesk();
            AdminReply probe;
            do { // reads are answered until the stop, which runs on another thread, has begun
                probe = client.send(new AdminRequest.Stats("probe")).next();
            } while (probe instanceof AdminReply.Ack);
            assertTrue(probe instanceof AdminReply.Failed failed && failed.code() == AdminErrorCode.SHUTTING_DOWN, probe.toString());
            client.send(set("late")).failed("late", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            assertFalse(stopped.isComplete());
            server.desk.openGate();
            client.ack("hold");
            stopped.await(AdminServer.PATIENCE_S, TimeUnit.SECONDS);
            client.send(set("later")).failed("later", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            client.send(new AdminRequest.Stats("later")).failed("later", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            assertEquals(1, server.desk.handled.stream().filter(AdminRequest.OptimizationSet.class::isInstance).count());
        }
    }

    @Test
    void shouldAnswerWhatRunsBeforeTheServerStops() throws Exception {
        try (AdminClient client = server.client(); AdminClient idle = server.client()) {
            client.send(set("hold"));
            server.desk.await(() -> server.desk.waiting.get() == 1);
            Future<Void> stopped = server.stopServer();
            assertEquals(1012, idle.closeCode());
            client.send(set("late")).failed("late", AdminErrorCode.SHUTTING_DOWN, "shutting down");
            server.desk.openGate();
            client.ack("hold");
            assertEquals(1012, client.closeCode());
            stopped.await(AdminServer.PATIENCE_S, TimeUnit.SECONDS);
        }
    }
}

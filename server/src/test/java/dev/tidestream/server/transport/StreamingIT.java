package dev.tidestream.server.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

@ExtendWith(NettyLeakCheck.class)
class StreamingIT {
    private TestServer server;

    @BeforeEach
    void start() throws Exception {
        server = new TestServer();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    @Test
    void shouldServeMoreConnectionsInARowThanAtOnce() throws Exception {
        for (int i = 0; i < 100; i++) { // 16 WebSockets and 64 more connections may be open at once
            try (TestClient client = new TestClient(server.port())) {
                assertEquals(3, client.barrier("a").size());
            }
        }
    }

    @Test
    void shouldTellWatchersOfNewWeights() throws Exception {
        try (TestClient watcher = new TestClient(server.port()); TestClient other = new TestClient(server.port())) {
            watcher.send("{\"type\":\"watch\",\"weights\":true}").send("{\"type\":\"watch\",\"weights\":true}");
            assertEquals(new ServerMessage.WeightsChanged(1), watcher.next());
            server.engine.versions.tryEmitNext(2L).orThrow();
            assertEquals(new ServerMessage.WeightsChanged(2), watcher.next());
            watcher.send("{\"type\":\"watch\",\"weights\":false}").barrier("b");
            server.engine.versions.tryEmitNext(3L).orThrow();
            assertEquals(3, watcher.barrier("c").size(), "accepted, one token, finished");
            assertEquals(3, other.barrier("d").size());
            assertEquals(0, server.engine.versions.currentSubscriberCount());
            watcher.send("{\"type\":\"watch\"}");
            assertEquals(ErrorCode.MISSING_FIELD, watcher.next(ServerMessage.Failed.class).code());
        }
    }

    @Test
    void shouldTakeConversations() throws Exception {
        try (TestClient client = server.client()) {
            client.send("{\"type\":\"generate\",\"id\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"refuse\"}]}");
            assertEquals(ErrorCode.BUSY, client.next(ServerMessage.Failed.class).code());
        }
    }

    @Test
    void shouldStreamInOrder() throws Exception {
        try (TestClient client = server.client()) {
            assertEquals(Protocol.SUBPROTOCOL, client.subprotocol());
            client.generate("a", "x", 100, ",\"sampling\":{\"seed\":5}");
            ServerMessage.Accepted accepted = client.next(ServerMessage.Accepted.class);
            assertEquals(5, accepted.seed());
            assertEquals(3, accepted.promptTokens());
            for (int seq = 0; seq < 100; seq++) {
                assertEquals(
                        new ServerMessage.Token("a", seq, 100 + seq, " w" + seq, 1, null, List.of()), client.next());
            }
            ServerMessage.Finished finished = client.next(ServerMessage.Finished.class);
            assertEquals(FinishReason.LENGTH, finished.reason());
            assertEquals(100, finished.usage().completionTokens());
            server.engine.await(() -> server.engine.running() == 0);
            assertTrue(server.engine.mostDemand.get() <= TestServer.CONFIG.windowTokens(), "demand=" + server.engine.mostDemand);
        }
    }

    /** The acceptance of the wire: 8 streams on one socket, 2 cancelled, 1 without credit, 5 through. */
    @Test
    void shouldKeepStreamsOnOneSocketApart() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("starved", "x", 50, ",\"credit\":7");
            client.generate("c1", "hold", 50, "");
            client.generate("c2", "hold", 50, "");
            IntStream.range(0, 5).forEach(i -> client.generate("s" + i, "x", 2000, ""));
            client.cancel("c1").cancel("c2");
            List<ServerMessage> all = new ArrayList<>();
            while (all.stream().filter(ServerMessage.Finished.class::isInstance).count() < 7) {
                all.add(client.next());
            }
            assertEquals(7, tokens(all, "starved"));
            for (int i = 0; i < 5; i++) {
                assertEquals(2000, tokens(all, "s" + i));
            }
            assertTrue(all.stream().anyMatch(m -> m instanceof ServerMessage.Finished f
                    && f.id().equals("c1") && f.reason() == FinishReason.CANCELLED));
            server.engine.await(() -> server.engine.running() == 1);
            client.credit("starved", 43);
            List<ServerMessage> rest = client.untilFinished("starved");
            assertEquals(43, tokens(rest, "starved"));
            assertEquals(7, ((ServerMessage.Token) rest.getFirst()).seq());
        }
    }

    @Test
    void shouldStandStillWithoutCreditAndGoOnWithIt() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("a", "x", 1000, ",\"credit\":0");
            client.next(ServerMessage.Accepted.class);
            assertEquals(0, tokens(client.barrier("b0"), "a"));
            client.credit("a", 3);
            assertEquals(3, tokens(client.barrier("b1"), "a") + tokens(client.barrier("b2"), "a"));
            client.credit("a", 1).credit("a", 1).credit("a", Integer.MAX_VALUE).credit("a", Integer.MAX_VALUE);
            assertEquals(997, tokens(client.untilFinished("a"), "a"));
        }
    }

    @Test
    void shouldNeverAskTheEngineForMoreThanTheCredit() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("a", "x", 1000, ",\"credit\":5");
            client.next(ServerMessage.Accepted.class);
            for (int i = 0; i < 5; i++) {
                client.next(ServerMessage.Token.class);
            }
            client.barrier("b");
            assertEquals(5, server.engine.mostDemand.get());
        }
    }

    @Test
    void shouldReportPrefillForFree() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("a", "prefill", 2, ",\"credit\":1");
            client.next(ServerMessage.Accepted.class);
            assertEquals(new ServerMessage.Progress("a", 100, 300), client.next());
            assertEquals(new ServerMessage.Progress("a", 200, 300), client.next());
            assertEquals(new ServerMessage.Progress("a", 300, 300), client.next());
            client.next(ServerMessage.Token.class);
            client.credit("a", 1);
            client.next(ServerMessage.Token.class);
            client.next(ServerMessage.Finished.class);
        }
    }

    @Test
    void shouldFinishACancelledStream() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("hold", "hold", 9, "").generate("starved", "x", 9, ",\"credit\":0");
            client.generate("late", "late", 9, ",\"credit\":0").generate("endless", "x", 100_000_000, "");
            for (String id : List.of("hold", "starved", "late", "endless")) {
                client.cancel(id).cancel(id);
                List<ServerMessage> all = client.untilFinished(id);
                assertEquals(FinishReason.CANCELLED, ((ServerMessage.Finished) all.getLast()).reason());
                assertEquals(0, tokens(all, "starved") + tokens(all, "late"));
            }
            server.engine.await(() -> server.engine.running() == 0);
            assertEquals(0, server.engine.cancelled.get());
        }
    }

    @Test
    void shouldFreeAnIdWhenItsStreamEnds() throws Exception {
        try (TestClient client = server.client()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(5, client.barrier("again").size() + 2);
                client.credit("again", 1).cancel("again");
            }
            assertTrue(client.barrier("b").stream().noneMatch(ServerMessage.Failed.class::isInstance));
        }
    }

    @Test
    void shouldCancelEverythingWhenTheSocketCloses() throws Exception {
        TestClient client = server.client();
        client.generate("a", "hold", 1, "").generate("b", "x", 100_000_000, "").generate("c", "x", 9, ",\"credit\":0");
        client.until(m -> m instanceof ServerMessage.Accepted a && a.id().equals("c"));
        client.close();
        server.engine.await(() -> server.engine.cancelled.get() == 3);
        TestClient aborted = server.client();
        aborted.generate("a", "hold", 1, "");
        aborted.next(ServerMessage.Accepted.class);
        aborted.abort();
        server.engine.await(() -> server.engine.cancelled.get() == 4);
        assertEquals(0, server.engine.running());
    }

    /** A client that does not read: the socket fills, the demand stops, and other connections do not notice. */
    @Test
    void shouldStopAskingWhenTheClientDoesNotRead() throws Exception {
        try (TestClient slow = new TestClient(server.port(), false);
                TestClient other = server.client()) {
            slow.generate("a", "long", 100_000_000, "").generate("b", "long", 100_000_000, "");
            server.engine.await(() -> server.engine.emitted.get() > 100);
            long before;
            do {
                before = server.engine.emitted.get();
                assertTrue(before < 100_000, "the demand never stops: emitted=" + before);
                other.barrier("x");
                other.barrier("y");
            } while (server.engine.emitted.get() > before + 4);
            slow.read();
            long standstill = server.engine.emitted.get();
            server.engine.await(() -> server.engine.emitted.get() > standstill + 1000);
            slow.cancel("a").cancel("b");
            slow.untilFinished("a");
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    @Test
    void shouldTellAboutFaultsOfTheEngine() throws Exception {
        try (TestClient client = server.client()) {
            client.generate("a", "refuse", 1, "");
            assertEquals(
                    new ServerMessage.Failed("a", ErrorCode.BUSY, "the queue is full: waiting=1, limit=1", 1000L), client.next());
            for (String script : List.of("crash", "throw", "vanish")) {
                client.generate("a", script, 9, "");
                List<ServerMessage> all = client.until(ServerMessage.Failed.class::isInstance);
                assertEquals(ErrorCode.INTERNAL, ((ServerMessage.Failed) all.getLast()).code(), script);
                assertEquals("a", all.getLast().id());
            }
            client.barrier("a");
            server.engine.await(() -> server.engine.running() == 0);
        }
    }

    private static long tokens(List<ServerMessage> messages, String id) {
        return messages.stream()
                .filter(m -> m instanceof ServerMessage.Token t && t.id().equals(id))
                .count();
    }
}

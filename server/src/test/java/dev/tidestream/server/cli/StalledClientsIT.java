package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.scheduler.status.SchedulerStats;
import dev.tidestream.server.transport.NettyLeakCheck;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients that take nothing, or send too much, beside others: a real server and a real model. */
class StalledClientsIT {
    private static final String STORIES = "models/stories260K/stories260K.gguf";
    private static final String UNDISTURBED = "u";
    private static final int STREAMS = 16;

    @RegisterExtension
    static final NettyLeakCheck LEAKS = new NettyLeakCheck();

    @TempDir
    Path temp;

    private StartedServer server(String... more) throws IOException {
        List<String> options = new ArrayList<>(List.of("--model", SharedData.path(STORIES).toString()));
        options.addAll(List.of(more));
        return new StartedServer(temp, options.toArray(String[]::new));
    }

    /** A stream's tokens with their log-probabilities, and how it ended. */
    private record Said(List<Integer> tokens, List<Float> logprobs, String text, FinishReason reason) {}

    /** What streams said so far, by id. */
    private static final class Heard {
        private final Map<String, List<ServerMessage.Token>> tokens = new HashMap<>();
        private final Map<String, ServerMessage.Finished> finished = new HashMap<>();

        void take(ServerMessage message) {
            switch (message) {
                case ServerMessage.Token t -> {
                    List<ServerMessage.Token> all = tokens.computeIfAbsent(t.id(), id -> new ArrayList<>());
                    assertEquals(all.size(), t.seq());
                    all.add(t);
                }
                case ServerMessage.Finished f -> finished.put(f.id(), f);
                case ServerMessage.Failed f -> throw new AssertionError(f.toString());
                case ServerMessage.Accepted _, ServerMessage.Progress _, ServerMessage.WeightsChanged _ -> { }
            }
        }

        Heard until(TestClient client, int ended) throws InterruptedException {
            while (finished.size() < ended) {
                take(client.next());
            }
            return this;
        }

        Said of(String id) {
            List<ServerMessage.Token> all = tokens.getOrDefault(id, List.of());
            ServerMessage.Finished end = finished.get(id);
            assertTrue(end != null, id);
            return new Said(
                    all.stream().map(ServerMessage.Token::token).toList(),
                    all.stream().map(ServerMessage.Token::logprob).toList(),
                    String.join("", all.stream().map(ServerMessage.Token::text).toList()),
                    end.reason());
        }
    }

    private static String sampled(int i) {
        String penalties = i % 2 == 0 ? ",\"repetition_penalty\":1.2,\"frequency_penalty\":0.1" : "";
        String stop = i % 3 == 0 ? ",\"stop\":[\"garden\",\"zebra\"]" : "";
        return ",\"logprobs\":true%s,\"sampling\":{\"temperature\":0.9,\"seed\":%d,\"logit_bias\":{\"2\":-100}%s}"
                .formatted(stop, i, penalties);
    }

    private static List<Said> undisturbed(StartedServer server, int maxTokens, String more) throws InterruptedException {
        List<Said> said = new ArrayList<>();
        try (TestClient client = new TestClient(server.port())) {
            for (int i = 0; i < STREAMS; i++) {
                client.generate(UNDISTURBED, "Once upon a time", maxTokens, sampled(i) + more);
                Heard heard = new Heard().until(client, 1);
                said.add(heard.of(UNDISTURBED));
            }
        }
        return said;
    }

    private static void newcomer(StartedServer server) throws InterruptedException {
        try (TestClient client = new TestClient(server.port())) {
            client.generate("new", "Once upon a time", 5, "");
            assertEquals(5, new Heard().until(client, 1).of("new").tokens().size());
        }
    }

    /** As many streams as there are slots, without any credit, then some, then enough; newcomers in between. */
    @Test
    void shouldServeNewcomersBesideStreamsWithoutCreditAndGoOnWithTheSameTokens() throws Exception {
        try (StartedServer server = server("--kv-memory", "4MiB")) {
            List<Said> expected = undisturbed(server, 100, "");
            try (TestClient hoarder = new TestClient(server.port())) {
                for (int i = 0; i < STREAMS; i++) {
                    hoarder.generate("h" + i, "Once upon a time", 100, sampled(i) + ",\"credit\":0");
                }
                Heard heard = new Heard();
                for (int credit : new int[] {1, 7, 20}) {
                    newcomer(server);
                    for (int i = 0; i < STREAMS; i++) {
                        hoarder.credit("h" + i, credit);
                    }
                }
                newcomer(server);
                assertEquals(0, heard.finished.size());
                for (int i = 0; i < STREAMS; i++) {
                    hoarder.credit("h" + i, 1000);
                }
                heard.until(hoarder, STREAMS);
                for (int i = 0; i < STREAMS; i++) {
                    assertEquals(expected.get(i), heard.of("h" + i), "stream " + i);
                }
            }
            assertEquals(0, server.running().engine().stats().kvUsedBytes());
        }
    }

    /** Sockets that are never read fill up; nothing else waits for them, and what they were sent is what anybody would be sent. */
    @Test
    void shouldServeNewcomersBesideSocketsThatAreNotRead() throws Exception {
        String large = ",\"logprobs\":20,\"sampling\":{\"temperature\":0,\"logit_bias\":{\"1\":-100,\"2\":-100}}";
        int maxTokens = 1900;
        try (StartedServer server = server()) {
            Said expected;
            try (TestClient client = new TestClient(server.port())) {
                client.generate("e", "Once upon a time", maxTokens, large);
                expected = new Heard().until(client, 1).of("e");
            }
            try (TestClient deafA = new TestClient(server.port(), false); TestClient deafB = new TestClient(server.port(), false)) {
                for (int i = 0; i < STREAMS; i++) {
                    deafA.generate("d" + i, "Once upon a time", maxTokens, large);
                    deafB.generate("d" + i, "Once upon a time", maxTokens, large);
                }
                long before;
                do { // until nobody but newcomers gets tokens
                    newcomer(server);
                    before = server.running().engine().stats().tokensGenerated();
                    newcomer(server);
                } while (server.running().engine().stats().tokensGenerated() - before > 5);
                EngineStats stats = server.running().engine().stats();
                SchedulerStats streams = stats.streams();
                assertTrue(streams.running() + streams.parked() > STREAMS, stats.toString());
                assertTrue(streams.slotsGivenBack() > 0, stats.toString());
                assertTrue(streams.tokensGenerated() <= 4L * maxTokens, "the system would buffer 4 MiB of each socket: " + stats);
                deafA.read();
                deafB.read();
                Heard heardA = new Heard().until(deafA, STREAMS);
                Heard heardB = new Heard().until(deafB, STREAMS);
                for (int i = 0; i < STREAMS; i++) {
                    assertEquals(expected, heardA.of("d" + i), "stream " + i);
                    assertEquals(expected, heardB.of("d" + i), "stream " + i);
                }
            }
        }
    }

    @Test
    void shouldServeAShortStreamThoughTwoLongOnesWithOneCreditHaveAllKvMemory() throws Exception {
        try (StartedServer server = server("--kv-memory", "1MiB", "--kv-type", "f32");
                TestClient a = new TestClient(server.port());
                TestClient b = new TestClient(server.port())) {
            long blockBytes = KvCacheShape.of(server.running().blueprint(), KvType.F32, 1).blockBytes();
            long blocks = server.running().engine().stats().kvBudgetBytes() / blockBytes;
            int half = (int) (blocks / 2 * KvCacheShape.BLOCK_POSITIONS) - 16; // leaves the tokens half a block
            a.send(longPrompt(half, 300));
            b.send(longPrompt(half, 400));
            a.until(m -> m instanceof ServerMessage.Token);
            b.until(m -> m instanceof ServerMessage.Token);
            EngineStats full = server.running().engine().stats();
            assertTrue(full.kvUsedBytes() > full.kvBudgetBytes() - 2 * blockBytes, full.toString());
            try (TestClient c = new TestClient(server.port())) {
                c.generate("c", "Once upon a time ".repeat(40), 64, "");
                assertEquals(64, new Heard().until(c, 1).of("c").tokens().size());
            }
            assertTrue(server.running().engine().stats().streams().blocksTaken() > 0, full.toString());
        }
    }

    private static String longPrompt(int tokens, int token) {
        return "{\"type\":\"generate\",\"id\":\"a\",\"credit\":1,\"max_tokens\":16,\"sampling\":{\"temperature\":0},\"tokens\":"
                + Collections.nCopies(tokens, token) + "}";
    }

    @Test
    void shouldNameMaxTokensWhenOnlyThatDoesNotFitTheKvMemory() throws Exception {
        try (StartedServer server = new StartedServer(temp, "--kv-memory", "512KiB"); TestClient client = new TestClient(server.port())) {
            client.send("{\"type\":\"generate\",\"id\":\"x\",\"tokens\":[1,2,3,4,5]}");
            ServerMessage.Failed failed = (ServerMessage.Failed) client.next();
            assertEquals(ErrorCode.PROMPT_TOO_LONG, failed.code());
            assertTrue(failed.message().contains("prompt_tokens=5, max_tokens=256, positions=261"), failed.message());
            String fits = failed.message().replaceAll(".*; max_tokens=(\\d+) would fit this prompt", "$1");
            client.send("{\"type\":\"generate\",\"id\":\"x\",\"tokens\":[1,2,3,4,5],\"credit\":1,\"max_tokens\":%s}".formatted(fits));
            client.until(m -> m instanceof ServerMessage.Token);
            client.send("{\"type\":\"generate\",\"id\":\"y\",\"tokens\":[1,2,3,4,5],\"max_tokens\":%d}"
                    .formatted(Integer.parseInt(fits) + 1));
            assertEquals(ErrorCode.PROMPT_TOO_LONG, ((ServerMessage.Failed) client.next()).code());
        }
    }

    /** The bound of tokens in the message says that nobody counted them; a stream beside has all of its own. */
    @Test
    void shouldRefusePromptsThatCanNeverFitBeforeTheyAreTokenized() throws Exception {
        String huge = "once upon a time ".repeat(60_000);
        try (StartedServer server = server(); TestClient beside = new TestClient(server.port())) {
            beside.generate("s", "Once upon a time", 500, ",\"sampling\":{\"temperature\":0}");
            beside.until(m -> m instanceof ServerMessage.Token);
            List<TestClient> attackers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                attackers.add(new TestClient(server.port()));
            }
            for (int i = 0; i < 5; i++) {
                for (TestClient attacker : attackers) {
                    attacker.generate("p" + i, huge, 5, "");
                }
            }
            for (TestClient attacker : attackers) {
                for (int i = 0; i < 5; i++) {
                    ServerMessage.Failed failed = (ServerMessage.Failed) attacker.next();
                    assertEquals(ErrorCode.PROMPT_TOO_LONG, failed.code());
                    assertTrue(failed.message().matches("prompt too long: bytes=1020000, tokens>=\\d+, context=2048"), failed.message());
                }
                attacker.generate("ok", "Once upon a time", 3, "");
                new Heard().until(attacker, 1);
                attacker.close();
            }
            assertEquals(0, server.running().engine().stats().promptBytesInIntake());
            assertEquals(FinishReason.LENGTH, ((ServerMessage.Finished) beside.until(m -> m instanceof ServerMessage.Finished)
                    .getLast()).reason());
        }
    }
}
